"""From members' features to probabilities: the prior's weights, corrected by own evidence.

The correction is a penalised logistic regression on out-of-fold features, first pooled over all
labels, then for each label by itself around the pooled one. Where positives are few the penalty
holds a label to what all labels show, and with none at all to what other repositories showed;
with many it fades. (Platt 1999, with a hierarchical Gaussian prior in place of his two targets.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tagger.chain.features import Features
    from tagger.chain.prior import Moments, Weights

    Array = NDArray[np.float64]

LOOSENESS = (0.5, 0.2, 0.1)
"""Standard deviations, in log odds, allowed to a label's intercept, to the slope on the prior's
log odds, and to the weight of each single feature."""

STEPS = 40


@dataclass(frozen=True)
class Blend:
    """Calibrated log odds from features.

    :ivar weights: what the prior says at the labels' counts.
    :ivar share: smoothed share of issues of each label. *Shape:* (n_labels,)
    :ivar correction: intercept, slope on the prior's log odds, weight of each `z` feature; zeros
        where there was no evidence. *Shape:* (n_labels, 2 + n_members)
    """

    weights: Weights
    share: Array
    correction: Array

    @classmethod
    def from_prior(
        cls, moments: Moments, names: tuple[str, ...], counts: Array, share: Array
    ) -> Self:
        """The blend before any own evidence."""
        weights = moments.weigh(names, counts)
        return cls(weights, share, np.zeros((len(share), 2 + len(names) // 2)))

    def adapted(self, features: Features, truth: NDArray[np.bool_]) -> Blend:
        """Corrected by out-of-fold features of labelled issues."""
        columns = self._columns(features)
        offset, width = columns[..., 1], columns.shape[-1]
        tightness = 1 / np.concatenate([LOOSENESS[:2], np.full(width - 2, LOOSENESS[2])]) ** 2
        pooled = fit_around(
            np.zeros(width), tightness, columns.reshape(-1, width), offset.ravel(), truth.ravel()
        )
        each = [
            fit_around(pooled, tightness, columns[:, label], offset[:, label], truth[:, label])
            for label in range(truth.shape[1])
        ]
        return Blend(self.weights, self.share, np.stack(each))

    def log_odds(self, features: Features) -> Array:
        """*Shape:* (n_issues, n_labels)"""
        columns = self._columns(features)
        return np.asarray(columns[..., 1] + (columns * self.correction).sum(axis=-1))

    def probabilities(self, features: Features) -> Array:
        """*Shape:* (n_issues, n_labels), in (0, 1)."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.log_odds(features), -30, 30))))

    def influence(self, features: Features) -> Array:
        """How much each member moved each label. *Shape:* (n_issues, n_labels, n_members)"""
        slope = (self.weights.correction[:, 1] * (1 + self.correction[:, 1]))[:, None]
        parts = features * self.weights.slopes * slope
        members = parts.reshape(*parts.shape[:-1], parts.shape[-1] // 2, 2).sum(axis=-1)
        return np.asarray(members + features[..., ::2] * self.correction[:, 2:])

    def _columns(self, features: Features) -> Array:
        prior = self.weights.log_odds(features, self.share)
        return np.concatenate(
            [np.ones((*prior.shape, 1)), prior[..., None], features[..., ::2]], axis=-1
        )


def fit_around(
    centre: Array, tightness: Array, columns: Array, offset: Array, truth: NDArray[np.bool_]
) -> Array:
    """Logistic regression with a Gaussian prior, by Newton's method.

    :param centre: where the coefficients would be without evidence. *Shape:* (n_columns,)
    :param tightness: the prior's precision. *Shape:* (n_columns,)
    :param columns: *Shape:* (n_rows, n_columns)
    :param offset: log odds that stand before the correction. *Shape:* (n_rows,)
    """
    found = centre.copy()
    target = truth.astype(np.float64)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(offset + columns @ found, -30, 30)))
        slope = columns.T @ (p - target) + tightness * (found - centre)
        curve = (columns.T * np.maximum(p * (1 - p), 1e-6)) @ columns + np.diag(tightness)
        step = np.linalg.solve(curve, slope)
        found = found - np.clip(step, -1, 1)
        if float(np.abs(step).max()) < 1e-6:
            break
    return found
