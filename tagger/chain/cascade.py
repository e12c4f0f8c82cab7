"""Members in stages of rising cost: dearer ones are asked only about what cheap ones leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import logit

from tagger.chain.precision_guarantee import evidence_of, promised_thresholds
from tagger.chain.stage import StagePrediction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.chain.members import Member
    from tagger.chain.stage import Stage
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Scores

    Array = NDArray[np.float64]
    Rows = NDArray[np.bool_]
    Ask = Callable[[Member, NDArray[np.int_]], Scores]
    """One member's scores of the issues in these rows."""

AGREEMENT = 0.99
"""Share of decisions that dearer members may not change, for an issue to be spared them."""

MARGINS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Distances from the threshold, in log odds, tried for sparing issues dearer members."""


@dataclass(frozen=True)
class Cascade:
    """Fitted members and the stages that weigh them.

    :ivar members: in order of cost; one that is in no stage is asked for neighbours only.
    :ivar stages: in order of cost, each with the members of the one before.
    :ivar margins: how far from its threshold, in log odds, a label must be after each stage but the
        last to count as decided; infinity where a stage decides nothing.
    :ivar promised: the last stage's threshold for each label's promised precision, infinity where
        there is none: an issue near it is not decided either. *Shape:* (n_labels,)
    """

    labels: tuple[str, ...]
    members: tuple[Member, ...]
    stages: tuple[Stage, ...]
    margins: tuple[float, ...]
    promised: Array

    @classmethod
    def of(
        cls, members: Sequence[Member], stages: Sequence[Stage], train: TrainingSet, target: float
    ) -> Self:
        """Measure, on the training issues, how much of each stage's word the last one leaves.

        :param target: the precision whose thresholds must not depend on who was asked.
        """
        last = stages[-1]
        promised = promised_thresholds(
            () if last.out_of_fold is None else evidence_of(last.out_of_fold, train.targets),
            target,
            len(train.labels),
        )
        margins = tuple(_margin(stage, last, promised) for stage in stages[:-1])
        return cls(train.names, tuple(members), tuple(stages), margins, promised)

    def predict(self, issues: Sequence[IssueText]) -> StagePrediction:
        """Ask the cheap members, and dearer ones about issues with a label near its threshold."""
        return self._run(
            len(issues), lambda member, rows: member.strategy.score([issues[row] for row in rows])
        )

    def out_of_fold(self) -> Array | None:
        """What the whole cascade says of the training issues, each judged by fits without it.

        An issue that an early stage decides has that stage's score, as it has when it is served;
        None where there were too few issues. *Shape:* (n_issues, n_labels)
        """
        if self.stages[-1].out_of_fold is None:
            return None
        rows = np.arange(len(self.stages[-1].out_of_fold))
        scores = np.zeros((len(rows), len(self.labels)))
        for stage, margin in self._stages():
            if np.isinf(margin) or stage.out_of_fold is None:
                continue
            scores[rows] = stage.out_of_fold[rows]
            rows = rows[self._undecided(scores[rows], stage.thresholds, margin)]
        return scores

    def shares_asked(self) -> dict[str, float]:
        """For each member the share of the reference texts that reaches it: cheap ones see all."""
        total = len(self.members[0].reference)
        prediction = self._run(total, lambda member, rows: member.reference[rows])
        return {name: number / total for name, number in prediction.n_scored.items()}

    def first_asked(self) -> Iterator[Member]:
        """Members that every issue goes through."""
        first = next(stage for stage, margin in self._stages() if not np.isinf(margin))
        return (member for member in self.members if member.name in first.members)

    def served_by(self) -> tuple[str, ...]:
        """For each label the member that moves its score most, over the reference texts."""
        last = self.stages[-1]
        scores: Mapping[str, Scores] = {
            member.name: member.reference for member in self.members if member.name in last.members
        }
        moved = np.abs(last.blend.influence(last.features(scores))).mean(axis=0)
        return tuple(last.members[best] for best in moved.argmax(axis=-1))

    def _stages(self) -> Iterator[tuple[Stage, float]]:
        return zip(self.stages, (*self.margins, 0.0), strict=True)

    def _run(self, n_issues: int, ask: Ask) -> StagePrediction:
        rows = np.arange(n_issues)
        scores_of: dict[str, Scores] = {}
        prediction = StagePrediction.blank(n_issues, len(self.labels))
        prediction.n_scored = dict.fromkeys(self.stages[-1].members, 0)
        for stage, margin in self._stages():
            if np.isinf(margin):
                continue  # it decides nothing; the next one asks its members too
            for member in self.members:
                if member.name in stage.members and member.name not in scores_of:
                    scores_of[member.name] = ask(member, rows)
                    prediction.n_scored[member.name] = len(rows)
            opinion = stage.opinion(scores_of)
            prediction.replace(rows, opinion)
            undecided = self._undecided(opinion.scores, opinion.thresholds, margin)
            if stage is self.stages[-1] or not undecided.any():
                break
            rows = rows[undecided]
            scores_of = {name: scores[undecided] for name, scores in scores_of.items()}
        return prediction

    def _undecided(self, scores: NDArray[np.floating], thresholds: Array, margin: float) -> Rows:
        """Issues with a label within `margin` of a threshold. *Shape:* (n_issues,)"""
        near_either = np.minimum(_distance(scores, thresholds), _distance(scores, self.promised))
        return np.asarray((near_either <= margin).any(axis=1))


def _margin(stage: Stage, last: Stage, promised: Array) -> float:
    """The least distance from both thresholds at which the last stage changes next to nothing."""
    early, late = stage.out_of_fold, last.out_of_fold
    if early is None or late is None:
        return float("inf")
    distance = np.minimum(_distance(early, stage.thresholds), _distance(early, promised))
    same = (early >= stage.thresholds) == (late >= last.thresholds)
    same &= (early >= promised) == (late >= promised)
    for margin in MARGINS:
        far = distance > margin
        if far.any() and same[far].mean() >= AGREEMENT:
            return margin
    return float("inf")


def _distance(probabilities: NDArray[np.floating], thresholds: Array) -> Array:
    """Distance from the threshold in log odds."""
    p, threshold = (np.clip(values, 1e-6, 1 - 1e-6) for values in (probabilities, thresholds))
    distance = np.abs(logit(p) - logit(threshold))
    return np.asarray(np.where(np.isinf(thresholds), np.inf, distance))
