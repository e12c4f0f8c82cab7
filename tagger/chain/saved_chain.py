"""The chain's learned state on disk: its own numbers in two files, each member in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.chain.blend import Blend
from tagger.chain.cascade import Cascade
from tagger.chain.contentless import ContentCheck
from tagger.chain.familiarity import FamiliarityCheck
from tagger.chain.learned_chain import LearnedChain
from tagger.chain.members import Member
from tagger.chain.precision_guarantee import Evidence
from tagger.chain.prior import DiscriminantWeights
from tagger.chain.stage import Stage
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.statistics.log_odds import UsualLogOdds
from tagger.strategies import create

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.strategy import Resources

    Arrays = dict[str, NDArray[Any]]

OWN = "chain.json"
NUMBERS = "chain.safetensors"


def save_chain(learned: LearnedChain, folder: Path) -> None:
    """Write what a chain has learned."""
    cascade = learned.cascade
    save_json(
        folder / OWN,
        {
            "labels": cascade.labels,
            "members": [member.name for member in cascade.members],
            "stages": [list(stage.members) for stage in cascade.stages],
            "margins": [None if np.isinf(margin) else margin for margin in cascade.margins],
            "asked": learned.asked,
            "served_by": learned.served_by,
            "always_labelled": learned.always_labelled,
            "content": learned.content.as_json(),
            "familiar_from": learned.familiarity.least,
        },
    )
    arrays: Arrays = {"promised": cascade.promised}
    for place, stage in enumerate(cascade.stages):
        arrays |= _prefixed(f"stage{place}", _stage_arrays(stage))
    if learned.evidence:
        arrays["evidence.scores"] = np.stack([evidence.scores for evidence in learned.evidence])
        arrays["evidence.hits"] = np.stack([evidence.hits for evidence in learned.evidence])
    save_arrays(folder / NUMBERS, arrays)
    for member in cascade.members:
        (folder / member.name).mkdir()
        member.strategy.save(folder / member.name)


def restore_chain(folder: Path, resources: Resources, *, seed: int) -> LearnedChain:
    """Read what `save_chain` wrote.

    :raises ReleaseDamaged: something is missing or does not fit together.
    """
    numbers, arrays = load_json(folder / OWN), load_arrays(folder / NUMBERS)
    try:
        return LearnedChain(
            _cascade(folder, numbers, arrays, resources, seed),
            asked={str(name): float(share) for name, share in numbers["asked"].items()},
            served_by=tuple(str(name) for name in numbers["served_by"]),
            always_labelled=bool(numbers["always_labelled"]),
            content=ContentCheck.from_json(numbers["content"]),
            evidence=_evidence(arrays),
            familiarity=FamiliarityCheck(numbers.get("familiar_from")),  # not in older releases
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseDamaged(folder, f"{OWN} or {NUMBERS}: {error!r}") from error


def _cascade(
    folder: Path, numbers: Mapping[str, Any], arrays: Arrays, resources: Resources, seed: int
) -> Cascade:
    labels = tuple(numbers["labels"])
    members = (
        Member(
            name,
            create(name, resources, seed=seed).restore(folder / name),
            out_of_fold=None,
            reference=np.zeros((0, len(labels)), dtype=np.float32),
            fit_seconds=0.0,  # seconds differ between two trainings that are otherwise the same
        )
        for name in numbers["members"]
    )
    stages = (
        _stage(tuple(names), _without_prefix(f"stage{place}", arrays))
        for place, names in enumerate(numbers["stages"])
    )
    margins = (float("inf") if margin is None else float(margin) for margin in numbers["margins"])
    promised = arrays.get("promised", np.full(len(labels), np.inf))  # not in releases of before
    return Cascade(labels, tuple(members), tuple(stages), tuple(margins), promised)


def _stage_arrays(stage: Stage) -> Arrays:
    arrays: Arrays = {
        "cuts": stage.thresholds,
        "share": stage.blend.share,
        "correction": stage.blend.correction,
    }
    arrays |= _prefixed("weights", _weights_arrays(stage.blend.weights))
    for name in stage.members:
        usual = stage.usual[name]
        arrays |= _prefixed(f"usual.{name}", {"mean": usual.mean, "spread": usual.spread})
        arrays |= _prefixed(f"alone.{name}", _weights_arrays(stage.alone[name]))
    return arrays


def _stage(members: tuple[str, ...], arrays: Arrays) -> Stage:
    return Stage(
        members,
        {
            name: UsualLogOdds(arrays[f"usual.{name}.mean"], arrays[f"usual.{name}.spread"])
            for name in members
        },
        Blend(_weights(_without_prefix("weights", arrays)), arrays["share"], arrays["correction"]),
        arrays["cuts"],
        {name: _weights(_without_prefix(f"alone.{name}", arrays)) for name in members},
        out_of_fold=None,
    )


def _weights_arrays(weights: DiscriminantWeights) -> Arrays:
    return {
        "slopes": weights.slopes,
        "middle": weights.middle,
        "correction": weights.correction,
        "competition": weights.competition,
    }


def _weights(arrays: Arrays) -> DiscriminantWeights:
    names = ("slopes", "middle", "correction", "competition")
    return DiscriminantWeights(*(arrays[name] for name in names))


def _evidence(arrays: Arrays) -> tuple[Evidence, ...]:
    if "evidence.scores" not in arrays:
        return ()
    pairs = zip(arrays["evidence.scores"], arrays["evidence.hits"], strict=True)
    return tuple(Evidence(scores, hits.astype(bool)) for scores, hits in pairs)


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _without_prefix(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    start = prefix + "."
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
