"""Metrics over decisions and scores: vectorised, and the same numbers as scikit-learn's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Truth = NDArray[np.bool_]
    """*Shape:* (n_issues, n_labels): which issue carries which label."""
    Decisions = NDArray[np.bool_]
    """*Shape:* (n_issues, n_labels): which label was given to which issue."""
    Floats = NDArray[np.float64]

N_BINS = 10
"""Bins of the reliability curve, of equal width (Guo et al. 2017)."""


FEWEST = 10
"""A precision or share over fewer decisions than these is noise, and not drawn."""


@dataclass(frozen=True)
class LabelFigures:
    """One label's skill; precision without a decision and recall without support are 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Counts:
    """What micro and macro F1, precision and recall are made of; counts add up over issues.

    :ivar hit: decided and true. *Shape:* (…, n_labels)
    :ivar decided: decided at all.
    :ivar true: true at all.
    """

    hit: Floats
    decided: Floats
    true: Floats

    @classmethod
    def of(cls, truth: Truth, decided: Decisions) -> Counts:
        """Count over all issues."""
        hit = truth & decided
        return cls(*(part.sum(axis=0).astype(float) for part in (hit, decided, truth)))

    @property
    def precision(self) -> Floats:
        return ratio(self.hit, self.decided)

    @property
    def recall(self) -> Floats:
        return ratio(self.hit, self.true)

    @property
    def f1(self) -> Floats:
        return ratio(2 * self.hit, self.decided + self.true)

    @property
    def micro_f1(self) -> Floats:
        """*Shape:* what is left without the labels' axis."""
        return ratio(2 * self.hit.sum(-1), self.decided.sum(-1) + self.true.sum(-1))

    @property
    def macro_f1(self) -> Floats:
        """Mean over labels; a label that is neither true nor decided counts 0, as in sklearn."""
        return np.asarray(self.f1.mean(-1) if self.f1.shape[-1] else self.f1.sum(-1))


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Elementwise part / whole, 0 where the whole is 0."""
    parts, wholes = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    shares: Floats = np.divide(parts, wholes, out=np.zeros(wholes.shape), where=wholes > 0)
    return shares


def micro_f1(truth: Truth, decided: Decisions) -> float:
    """Share of right decisions, each label of each issue counting once (harmonic mean)."""
    return float(Counts.of(truth, decided).micro_f1)


def macro_f1(truth: Truth, decided: Decisions) -> float:
    """Mean of the labels' F1: rare labels count as much as common ones."""
    return float(Counts.of(truth, decided).macro_f1)


def label_figures(truth: Truth, decided: Decisions) -> list[LabelFigures]:
    """Precision, recall, F1 and support of each label, in the columns' order."""
    counts = Counts.of(truth, decided)
    columns = zip(counts.precision, counts.recall, counts.f1, counts.true, strict=True)
    return [LabelFigures(float(p), float(r), float(f), int(n)) for p, r, f, n in columns]


def subset_accuracy(truth: Truth, decided: Decisions) -> float:
    """Share of issues with exactly the right set of labels."""
    return float((truth == decided).all(axis=1).mean()) if len(truth) else 0.0


def brier(truth: Truth, scores: Floats) -> Floats:
    """Squared distance of each issue's probabilities from its labels, mean over the labels.

    A proper score: nobody gains by stating other probabilities than they hold (Brier 1950).

    :param scores: probabilities. *Shape:* (n_issues, n_labels)
    :returns: 0 where all are certain and right. *Shape:* (n_issues,)
    """
    return np.asarray(((scores - truth) ** 2).mean(axis=1), dtype=float)


def label_ranking_average_precision(truth: Truth, scores: Floats) -> float:
    """Mean over issues of how purely true labels lead the ranking; 1 is best.

    For each true label: the share of true ones among labels scored at least as high. An issue
    with no label, or with all, counts 1, as in scikit-learn (Schapire and Singer 2000).
    """
    if not len(truth):
        return 0.0
    at_least = scores[:, None, :] >= scores[:, :, None]  # (n_issues, this label, other label)
    rank = at_least.sum(axis=2)
    true_rank = (at_least & truth[:, None, :]).sum(axis=2)
    n_true = truth.sum(axis=1)
    purity = (ratio(true_rank, rank) * truth).sum(axis=1)
    decided = (n_true > 0) & (n_true < truth.shape[1])
    return float(np.where(decided, ratio(purity, n_true), 1.0).mean())


def average_precision(truth: Truth, scores: Floats) -> Floats:
    """Area under each label's precision-recall steps; 0 for a label without support.

    :returns: *Shape:* (n_labels,), as scikit-learn's `average_precision_score`.
    """
    columns = zip(truth.T, scores.T, strict=True)
    return np.array([_average_precision(of_label, scored) for of_label, scored in columns])


def _average_precision(truth: NDArray[np.bool_], scores: Floats) -> float:
    if not truth.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # ties move as one
    recall = hits[ends] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * hits[ends] / (ends + 1)))


@dataclass(frozen=True)
class Reliability:
    """How often what was said with a probability came true; empty bins are left out.

    :ivar said: mean score in each bin. *Shape:* (n_filled_bins,)
    :ivar came_true: share of true ones in it.
    :ivar count: how many scores fell into it.
    """

    said: Floats
    came_true: Floats
    count: NDArray[np.int_]

    @property
    def expected_calibration_error(self) -> float:
        """Mean gap between said and come true, weighted by count (Guo et al. 2017)."""
        total = self.count.sum()
        return float((np.abs(self.said - self.came_true) * self.count).sum() / max(total, 1))


def reliability(truth: Truth, scores: Floats, bins: int = N_BINS) -> Reliability:
    """Bin all scores in [0, 1] of all labels together."""
    predicted, true = scores.ravel().astype(float), truth.ravel()
    bin_of = np.minimum((predicted * bins).astype(int), bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    filled = count > 0
    sums = (np.bincount(bin_of, weights=values, minlength=bins) for values in (predicted, true))
    mean_said, share_true = (ratio(total, count)[filled] for total in sums)
    return Reliability(mean_said, share_true, count[filled])


@dataclass(frozen=True)
class CoveragePrecision:
    """What is gained in precision by deciding only where the score is high.

    :ivar cut: scores from which labels are decided, falling. *Shape:* (n_thresholds,)
    :ivar coverage: share of all true labels that are decided rightly (recall).
    :ivar issues: share of issues that get at least one label.
    :ivar precision: share of right ones among the decided.
    """

    cut: Floats
    coverage: Floats
    issues: Floats
    precision: Floats


def coverage_precision(truth: Truth, scores: Floats, n_thresholds: int = 50) -> CoveragePrecision:
    """Walk one global threshold down from the highest score, at quantiles of the decisions."""
    flat, true = scores.ravel().astype(float), truth.ravel()
    order = np.argsort(-flat, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(flat[order])), len(order) - 1)
    relevant = max(1, min(len(order), 4 * int(true.sum())))  # beyond this precision is near share
    ends = ends[
        np.searchsorted(
            ends,
            np.unique(np.geomspace(min(FEWEST, relevant), relevant, n_thresholds).astype(int)) - 1,
        )
    ]
    ends = np.unique(ends)
    hits = np.cumsum(true[order])[ends]
    cut = flat[order][ends]
    best = np.sort(scores.max(axis=1))
    issues = 1 - np.searchsorted(best, cut, side="left") / len(best)
    return CoveragePrecision(
        cut, ratio(hits, np.full(len(ends), true.sum())), issues, hits / (ends + 1)
    )
