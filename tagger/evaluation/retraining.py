"""Two releases on the same held-out issues: what the gate is asked after each training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tagger.evaluation.contest import Judgement
from tagger.evaluation.gate import GateDecision, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.issue import IssueText, TrainingSet


class Released(Protocol):
    """A trained release, as far as the gate looks at it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its labels, in the order of its judgements' columns."""
        ...

    def judge(self, issues: Sequence[IssueText]) -> Judgement:
        """Probabilities, and the labels it gives for the best F1."""
        ...


def compare(
    new: Released, active: Released, held_out: TrainingSet, *, seed: int = 0
) -> GateDecision:
    """Let the gate compare a new release with the one that serves.

    Both are asked for the labels of `held_out`; one that a release does not know it never gives
    and holds for impossible, and one that only a release knows counts for neither.

    :param held_out: issues that neither release has learned from.
    """
    own, other = (_on_labels_of(held_out, release) for release in (new, active))
    return decide(
        held_out.targets,
        own.decided,
        other.decided,
        held_out.names,
        scores=(own.scores, other.scores),
        seed=seed,
    )


def _on_labels_of(held_out: TrainingSet, release: Released) -> Judgement:
    scores = np.zeros(held_out.targets.shape, dtype=np.float32)
    decided = np.zeros(held_out.targets.shape, dtype=bool)
    if not len(held_out):
        return Judgement(scores, decided)
    own = release.judge(held_out.issues)
    place = {name: column for column, name in enumerate(release.names)}
    for column, name in enumerate(held_out.names):
        if name in place:
            scores[:, column] = own.scores[:, place[name]]
            decided[:, column] = own.decided[:, place[name]]
    return Judgement(scores, decided)
