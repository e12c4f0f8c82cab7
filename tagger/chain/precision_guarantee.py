"""Cuts with a promise: the score from which a label's precision is bounded from below."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONFIDENCE = 0.9
"""Of the one-sided bound."""

DEFAULT_TARGET = 0.9
"""The precision that is promised where the repository's file names none."""

FEWEST_TO_ESTIMATE = 8
"""Examples below which their scores say nothing about how many more are needed."""

FAR = 1000
"""Further examples beyond which an estimate says no more than that the text does not tell."""


@dataclass(frozen=True, slots=True)
class MissingExamples:
    """How many more examples a promise needs.

    :ivar at_least: None where the data say nothing.
    :ivar at_most: None where the data set no end to it.
    """

    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class PrecisionGuarantee:
    """A cut whose precision is promised.

    :ivar cut: scores from here on are applied.
    :ivar precision: share of hits among out-of-fold scores from the cut on.
    :ivar bound: the precision is at least this, with 90 % confidence.
    :ivar coverage: share of the label's true issues that the cut reaches.
    """

    cut: float
    precision: float
    bound: float
    coverage: float


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold scores of one label, highest first, and which were right.

    Kept in the release, so that a target may change without training anew.
    """

    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    _promises: dict[float, PrecisionGuarantee | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, scores: NDArray[np.floating], truth: NDArray[np.bool_]) -> Evidence:
        order = np.argsort(-scores, kind="stable")
        return cls(np.asarray(scores[order], dtype=np.float32), np.asarray(truth[order]))

    def promise(self, target: float) -> PrecisionGuarantee | None:
        """The lowest cut that keeps the target, None where there is none.

        Cuts are tried downwards in steps of growing size and the first that fails ends the
        search: a fixed sequence of tests, each at 10 %, whose error together is 10 % (Angelopoulos
        et al. 2021, "Learn then Test", https://arxiv.org/abs/2110.01052). It begins where a third
        of the positives could lie above, so that one wrong label at the very top ends nothing.

        Found once a target: every issue that is tagged asks for it.
        """
        if target not in self._promises:
            self._promises[target] = self._search(target)
        return self._promises[target]

    def _search(self, target: float) -> PrecisionGuarantee | None:
        precision_guarantee = None
        positives = max(int(self.hits.sum()), 1)
        for size in self._sizes(target):
            hits = int(self.hits[:size].sum())
            bound = lower_bound(hits, size)
            if bound < target:
                break
            precision_guarantee = PrecisionGuarantee(
                float(self.scores[size - 1]), hits / size, bound, hits / positives
            )
        return precision_guarantee

    def missing(self, target: float) -> int:
        """About how many more examples the promise needs, where it cannot be met.

        Two things may lack: issues above the cut, for the bound to reach the target, and skill.
        The first grows with the examples; of the second is assumed that four times the examples
        halve the errors among the most probable half.
        """
        positives = max(int(self.hits.sum()), 1)
        top = max(1, positives // 2)
        errors = 1 - (int(self.hits[:top].sum()) + 0.5) / (top + 1)
        return _still_missing(errors, positives, target)

    def missing_range(self, target: float, examples: int) -> MissingExamples:
        """What `missing` may be, by the 80 % interval of the errors that it rests on.

        :param examples: labelled issues that the scores' model has learned from.
        """
        positives = int(self.hits.sum())
        if min(positives, examples) < FEWEST_TO_ESTIMATE:
            return MissingExamples()
        top = positives // 2
        right = int(self.hits[:top].sum())
        errors = (lower_bound(top - right, top), 1 - lower_bound(right, top))
        low, high = (_still_missing(share, examples, target) for share in errors)
        return MissingExamples(low, high if high <= FAR else None)

    def _sizes(self, target: float) -> list[int]:
        """Numbers of issues above the cuts tried; ties go together."""
        size = max(examples_needed(1.0, target), int(self.hits.sum()) // 3)
        sizes = []
        while size <= len(self.scores):
            end = int(np.searchsorted(-self.scores, -self.scores[size - 1], side="right"))
            sizes.append(end)
            size = max(end + 1, round(end * 1.25))
        return sizes


def evidence_of(scores: NDArray[np.floating], truth: NDArray[np.bool_]) -> tuple[Evidence, ...]:
    """The evidence of each label. *Shape of both:* (n_issues, n_labels)"""
    return tuple(Evidence.of(scores[:, i], truth[:, i]) for i in range(truth.shape[1]))


def promised_thresholds(
    evidence: Sequence[Evidence], target: float, n_labels: int
) -> NDArray[np.float64]:
    """Threshold of each label that keeps the target; infinity where none does.

    :param evidence: of each label; empty where there are too few labelled issues.
    :returns: *Shape:* (n_labels,)
    """
    promises = [each.promise(target) for each in evidence]
    thresholds = [np.inf if promise is None else promise.cut for promise in promises]
    return np.array(thresholds or [np.inf] * n_labels)


def _still_missing(errors: float, examples: int, target: float) -> int:
    """See `Evidence.missing`; `errors` is the share among the most probable half."""
    allowed = (1 - target) / 2  # at the target itself no number of issues would do
    enough = 2 * examples_needed(1 - min(errors, allowed), target)
    skilled = examples * max(1.0, errors / allowed) ** 2
    return max(1, round(max(enough, skilled)) - examples)


@cache
def lower_bound(hits: float, size: float, confidence: float = CONFIDENCE) -> float:
    """Clopper and Pearson's one-sided bound (1934): a share is at least this, with confidence."""
    return float(betaincinv(hits, size - hits + 1, 1 - confidence)) if hits else 0.0


@cache
def examples_needed(precision: float, target: float) -> int:
    """The least number of issues above a cut whose bound reaches `target` at this precision."""
    size = 1
    while lower_bound(int(precision * size), size) < target and size < 100_000:
        size += max(1, size // 50)
    return size
