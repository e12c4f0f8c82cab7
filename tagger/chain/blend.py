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
from scipy.special import expit

from tagger.chain.prior import strongest_rival
from tagger.statistics.logistic import fit_logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tagger.chain.prior import DiscriminantWeights, Prior
    from tagger.statistics.log_odds import Features

    Array = NDArray[np.float64]

LOOSENESS = (0.5, 0.2, 0.1, 0.05)
"""Standard deviations, in log odds, allowed to a label's intercept, to the slope on the prior's
log odds, to the weight of the strongest rival, and to the weight of each single feature. Chosen on
23 repositories, as what halving and doubling each of them costs (docs/benchmarks.md)."""

HALVINGS = 40
"""Steps of the bisection in `Blend.matched`: to 2 ** -36 of a log odd."""


@dataclass(frozen=True)
class Blend:
    """Calibrated log odds from features.

    :ivar weights: what the prior says at the labels' counts.
    :ivar share: smoothed share of issues of each label. *Shape:* (n_labels,)
    :ivar correction: intercept, slope on the prior's log odds, weight of the strongest rival's,
        weight of each `z` feature; zeros where there was no evidence.
        *Shape:* (n_labels, 3 + n_members)
    """

    weights: DiscriminantWeights
    share: Array
    correction: Array

    @classmethod
    def from_prior(cls, prior: Prior, names: tuple[str, ...], counts: Array, share: Array) -> Self:
        """The blend before any own evidence."""
        weights = prior.weigh(names, counts)
        return cls(weights, share, np.zeros((len(share), 3 + len(names) // 2)))

    def adapted(self, features: Features, truth: NDArray[np.bool_]) -> Blend:
        """Corrected by out-of-fold features of labelled issues."""
        columns = self._columns(features)
        offset, width = columns[..., 1], columns.shape[-1]
        precision = 1 / np.concatenate([LOOSENESS[:3], np.full(width - 3, LOOSENESS[3])]) ** 2
        pooled = fit_logistic(
            columns.reshape(-1, width), truth.ravel(), np.zeros(width), precision, offset.ravel()
        )
        each = [
            fit_logistic(columns[:, label], truth[:, label], pooled, precision, offset[:, label])
            for label in range(truth.shape[1])
        ]
        return Blend(self.weights, self.share, np.stack(each))

    def matched(self, features: Features, labels_per_issue: float) -> Blend:
        """Shifted by one amount for all labels, so that issues carry as many as they should.

        For where there is no own evidence: every label's share may be about right and their sum
        still be far off, which costs more than any one of them.

        :param features: of issues that stand for those to come.
        """
        odds = self.log_odds(features)
        low, high = -8.0, 8.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            expected = expit(odds + middle).sum(axis=1).mean()
            low, high = (middle, high) if expected < labels_per_issue else (low, middle)
        correction = self.correction.copy()
        correction[:, 0] += (low + high) / 2
        return Blend(self.weights, self.share, correction)

    def log_odds(self, features: Features) -> Array:
        """*Shape:* (n_issues, n_labels)"""
        columns = self._columns(features)
        return np.asarray(columns[..., 1] + (columns * self.correction).sum(axis=-1))

    def probabilities(self, features: Features) -> Array:
        """*Shape:* (n_issues, n_labels), in (0, 1)."""
        return np.asarray(expit(np.clip(self.log_odds(features), -30, 30)))

    def influence(self, features: Features) -> Array:
        """How much each member moved each label. *Shape:* (n_issues, n_labels, n_members)"""
        slope = (self.weights.correction[:, 1] * (1 + self.correction[:, 1]))[:, None]
        parts = features * self.weights.slopes * slope
        members = parts.reshape(*parts.shape[:-1], parts.shape[-1] // 2, 2).sum(axis=-1)
        return np.asarray(members + features[..., ::2] * self.correction[:, 3:])

    def base(self, features: Features) -> Array:
        """Log odds that no member moved: how frequent the label is, and its rivals on the issue.

        With `influence`, of which this is the rest, it sums to `log_odds`.

        :returns: *Shape:* (n_issues, n_labels)
        """
        return np.asarray(self.log_odds(features) - self.influence(features).sum(axis=-1))

    def _columns(self, features: Features) -> Array:
        prior = self.weights.log_odds(features, self.share)
        rival = strongest_rival(prior) if prior.shape[1] > 1 else np.zeros_like(prior)
        own_columns = np.stack([np.ones_like(prior), prior, rival], axis=-1)
        return np.concatenate([own_columns, features[..., ::2]], axis=-1)
