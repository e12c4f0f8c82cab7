"""The registry: every strategy by its public name, imported only when asked for.

Comes in from: the chain and the evaluation. A new strategy is a file here and an entry in REGISTRY;
the contract suite then holds it to what `tagger.domain.strategy` says.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from tagger.errors import UnknownStrategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tagger.domain.strategy import Resources, Strategy

REGISTRY: dict[str, str] = {
    "naive-bayes": "tagger.strategies.naive_bayes:NaiveBayes",
    "zero-shot": "tagger.strategies.zero_shot:ZeroShot",
    "linear": "tagger.strategies.linear:LinearHeads",
    "knn": "tagger.strategies.knn:NearestNeighbours",
    "fine-tuned": "tagger.strategies.fine_tuned:FineTuned",
    "adapted": "tagger.strategies.adapted:Adapted",
    "contrastive": "tagger.strategies.contrastive:Contrastive",
    "contrastive-thorough": "tagger.strategies.contrastive:ThoroughContrastive",
    "fine-tuned-thorough": "tagger.strategies.fine_tuned:ThoroughFineTuned",
    "uda": "tagger.strategies.uda:UnsupervisedAugmentation",
    "ust": "tagger.strategies.ust:UncertaintySelfTraining",
    "pet": "tagger.strategies.pet:PatternExploiting",
    "in-context": "tagger.strategies.in_context:InContext",
    "chain": "tagger.chain.chain:Chain",
}

THOROUGH = {"contrastive": "contrastive-thorough", "fine-tuned": "fine-tuned-thorough"}
"""Strategies that have a recipe for whoever has time, and the names that it goes by."""

TUNING = frozenset(
    {"fine-tuned", "adapted", "contrastive", "uda", "ust", "pet", *THOROUGH.values()}
)
"""Strategies that tune a transformer: a fit takes a minute where the others' take a moment."""

ON_REQUEST = frozenset({"uda", "ust", "pet", "in-context", *THOROUGH.values()})
"""Strategies that run only where they are named: they cost more than they gave the chain."""

MADE_BY_COMPRESSION: dict[str, str] = {"distilled": "tagger.strategies.distilled:Distilled"}
"""Strategies that a release may hold but that nobody trains by themselves: they need a teacher."""


def create(name: str, resources: Resources, *, seed: int = 0) -> Strategy:
    """Make an unfitted strategy by its public name.

    :raises UnknownStrategy: with the names there are.
    """
    strategies = REGISTRY | MADE_BY_COMPRESSION
    if name not in strategies:
        raise UnknownStrategy(name, REGISTRY)
    module, _, class_name = strategies[name].partition(":")
    return cast("Strategy", getattr(import_module(module), class_name)(resources, seed=seed))


def check_known(names: Iterable[str]) -> None:
    """:raises UnknownStrategy: one of these is none, with the names there are."""
    for name in names:
        if name not in REGISTRY:
            raise UnknownStrategy(name, REGISTRY)
