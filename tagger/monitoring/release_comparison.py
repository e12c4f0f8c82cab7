"""Two releases on the same held-out issues: what the gate is asked after each training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tagger.monitoring.gate import GateDecision, decide
from tagger.strategies.candidates import CandidatePrediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import IssueText, TrainingSet


class Released(Protocol):
    """A trained release, as far as the gate looks at it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its labels, in the order of its judgements' columns."""
        ...

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
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
    candidate_prediction, other = (_on_labels_of(held_out, release) for release in (new, active))
    return decide(
        held_out.targets,
        candidate_prediction.decided,
        other.decided,
        held_out.names,
        scores=(candidate_prediction.scores, other.scores),
        seed=seed,
    )


def _on_labels_of(held_out: TrainingSet, release: Released) -> CandidatePrediction:
    scores = np.zeros(held_out.targets.shape, dtype=np.float32)
    decided = np.zeros(held_out.targets.shape, dtype=bool)
    if not len(held_out):
        return CandidatePrediction(scores, decided)
    candidate_prediction = release.predict(held_out.issues)
    place = {name: column for column, name in enumerate(release.names)}
    for column, name in enumerate(held_out.names):
        if name in place:
            scores[:, column] = candidate_prediction.scores[:, place[name]]
            decided[:, column] = candidate_prediction.decided[:, place[name]]
    return CandidatePrediction(scores, decided)
