"""The networks of a model server: those that workers of the same settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.container import Container
from bot.model_server.tuned_networks import TunedNetworks
from bot.model_serving.served_networks import ServedNetworks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.process.settings import Settings
    from tagger.runtimes import Runtime


def load_networks(settings: Settings, runtimes: Sequence[Runtime], device: str) -> ServedNetworks:
    """Encoder, entailment where there is an NLI model, tuned members when they are asked for.

    :param device: such as cpu or cuda:0.
    :raises ModelNotFound: the settings name a model that is nowhere.
    """
    from tagger.label_semantics.entailment import Entailment
    from tagger.runtimes.opening import open_runner

    kind = device.partition(":")[0]
    settings = settings.model_copy(update={"device": kind, "model_server": None})
    container = Container(settings)
    tuned = TunedNetworks(container)
    networks = ServedNetworks(
        open_runner, lambda digest, name: tuned.find(digest, name) if name in runtimes else None
    )
    nli = container.resources(tuning=False).zero_shot_model
    for runtime in runtimes:
        container.bare_encoder(runtime, networks.open).encode(["a first text"])
        if nli is not None:
            judge = Entailment(
                nli,
                device=kind,
                runtime=runtime,
                cache=settings.cache_folder,
                opener=networks.open,
            )
            judge.odds(["a first text"], ["a statement"])
    return networks
