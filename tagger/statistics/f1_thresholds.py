"""Thresholds for strategies that only score: chosen on the training side, for the best F1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from tagger.statistics.expected_f1 import NEVER, best_expected_f1, micro_share
from tagger.statistics.log_odds import log_odds
from tagger.statistics.logistic import fit_logistic
from tagger.statistics.metrics import ratio
from tagger.statistics.stratification import stratified_folds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Scores, Strategy
    from tagger.statistics.metrics import Decisions, Floats, Truth

TRUSTED_POSITIVES = 8
"""With so many positives a label's own best threshold counts as much as its share of the issues."""

CALIBRATED_FROM = 24
"""Issues from which scores are calibrated for expected F1. On 23 repositories that brought linear
heads .02 to .05 of micro F1 at the same macro F1; below, it cost them .003 to .02 of micro F1."""

CALIBRATION_LOOSENESS = (1.0, 0.3)
"""Standard deviations, in log odds, of a label's own intercept and slope around the common ones."""

LEAST_SLOPE = 0.05
"""A higher score never makes a label less likely."""

COMMON_LOOSENESS = (5.0, 5.0)
"""The same of the common ones around a score that stands as it is."""

PSEUDO_ISSUES = 2.0
"""Weight, in issues, of the mean label's share in each label's smoothed share (Laplace)."""


@dataclass(frozen=True)
class Thresholds:
    """From which score on each label is given.

    :ivar values: *Shape:* (n_labels,)
    :ivar top_label: an issue above no threshold gets its best-scored label all the same.
    """

    values: Floats
    top_label: bool = True

    def decide(self, scores: Scores) -> Decisions:
        """*Shape:* (n_issues, n_labels), as `scores`."""
        decided = scores >= self.values
        if self.top_label and scores.shape[1]:
            without = np.flatnonzero(~decided.any(axis=1))
            decided[without, scores[without].argmax(axis=1)] = True
        return decided


def plain_thresholds(n_labels: int) -> Thresholds:
    """0.5 or else the top label: where there is nothing to choose thresholds on."""
    return Thresholds(np.full(n_labels, 0.5))


def choose_thresholds(truth: Truth, scores: Scores) -> Thresholds:
    """Choose each label's threshold on out-of-fold scores.

    From `CALIBRATED_FROM` issues on by the chain's own rule: scores are calibrated, and thresholds
    maximise expected F1 (`best_expected_f1`). With fewer, how often a label is given lies between
    what maximises its F1 on these issues and its smoothed share of them: the fewer positives, the
    nearer to the share, because the best of many thresholds over three positives is mostly luck
    (Lipton et al. 2014, "Optimal Thresholding of Classifiers to Maximize F1 Measure", on the luck;
    the shrinkage is ours).

    :param truth: *Shape:* (n_issues, n_labels)
    :param scores: each from a fit that has not seen that issue.
    """
    top_label = bool(truth.any(axis=1).mean() > 0.5)
    if len(truth) >= CALIBRATED_FROM:
        return Thresholds(_calibrated_thresholds(truth, scores), top_label)
    n_issues = max(len(truth), 1)
    share = (truth.sum(axis=0) + PSEUDO_ISSUES * truth.mean()) / (n_issues + PSEUDO_ISSUES)
    columns = zip(truth.T, scores.T.astype(float), share * n_issues, strict=True)
    thresholds = np.array([_cut(*column) for column in columns])
    return Thresholds(thresholds, top_label)


def _calibrated_thresholds(truth: Truth, scores: Scores) -> Floats:
    """Thresholds on scores whose calibrated probabilities have the best expected F1."""
    odds = log_odds(scores)
    columns = np.stack([np.ones_like(odds), odds], axis=-1)
    common = fit_logistic(
        columns.reshape(-1, 2),
        truth.ravel(),
        np.zeros(2),
        1 / np.square(COMMON_LOOSENESS),
        odds.ravel(),
    )
    precision = 1 / np.square(CALIBRATION_LOOSENESS)
    fitted = [
        fit_logistic(columns[:, label], truth[:, label], common, precision, odds[:, label])
        for label in range(truth.shape[1])
    ]
    intercept, change = np.reshape(fitted, (-1, 2)).T
    slope = np.maximum(1 + change, LEAST_SLOPE)
    cuts = best_expected_f1(expit(intercept + slope * odds), micro_share(len(truth)))
    never = cuts >= NEVER
    thresholds = expit((logit(np.where(never, 0.5, cuts)) - intercept) / slope)
    return np.asarray(np.where(never, NEVER, thresholds))


def _cut(truth: NDArray[np.bool_], scores: Floats, expected: float) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1) + 1  # ties go together
    positives = int(truth.sum())
    f1 = ratio(2 * np.cumsum(truth[order])[ends - 1], ends + positives)
    trust = positives / (positives + TRUSTED_POSITIVES)
    threshold = trust * float(ends[f1.argmax()]) + (1 - trust) * expected
    counts = np.concatenate([[0], ends])
    nearest = int(counts[np.abs(counts - threshold).argmin()])
    return _between(ranked, nearest)


def _between(ranked: Floats, n_given: int) -> float:
    """The middle between the last score that is given and the first that is not."""
    above = ranked[n_given - 1] if n_given else max(1.0, float(ranked[0]) + 1e-6)
    below = ranked[n_given] if n_given < len(ranked) else min(0.0, float(ranked[-1]))
    return float(above + below) / 2


def out_of_fold_scores(
    make: Callable[[], Strategy], train: TrainingSet, *, seed: int, folds: int = 5
) -> Scores | None:
    """Score each training issue by a fit on the other folds; None where one issue is all.

    :returns: *Shape:* (n_train, n_labels)
    """
    parts = stratified_folds(train.targets, min(folds, len(train)), seed)
    if len(parts) < 2:
        return None
    scores = np.zeros(train.targets.shape, dtype=np.float32)
    for held_out in parts:
        rest = train.subset(np.setdiff1d(np.arange(len(train)), held_out))
        scores[held_out] = make().fit(rest).score(train.subset(held_out).issues)
    return scores
