"""What other repositories taught: how much each member can be trusted at a label's count.

`prior.json` holds, for each bucket of positive examples, the mean of every feature over issues
with and without the label, and their common covariance, measured by `issue-tagger prior`
on several repositories. From these follow the weights of any set of members in closed form:
linear discriminant analysis (Fisher 1936), which is why a member may be left out and the others
still be weighed right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from scipy.special import logit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NOTHING = -0.5
"""The count of every label where not one issue is labelled: its usual share is then all that is
known, while a label without an example among a hundred issues is known to be rare."""

RIDGE = 0.05
"""Added to each feature's variance: near-copies share a weight instead of fighting over it."""


MEASURED_AS = {
    "fine-tuned": "adapted",
    "pet": "adapted",
    "in-context": "zero-shot",
    "contrastive-thorough": "contrastive",
    "fine-tuned-thorough": "adapted",
    "uda": "contrastive",
    "ust": "contrastive",
}
"""Members that were not measured, and those whose measurements stand in for them: `adapted` is the
training of `fine-tuned` from a start that has read the repository; `contrastive` tunes the same
body and knows the labels' wordings, too; a thorough recipe changes how well a member learns, not
what from. Side by side they share one weight."""


class Prior(Protocol):
    """What gives weights to features before there is any evidence of this repository."""

    def weigh(self, features: Sequence[str], counts: Array) -> DiscriminantWeights:
        """Weights of these features for labels with so many positive examples (or `NOTHING`)."""
        ...


@dataclass(frozen=True)
class FeatureMoments:
    """Features of issues with and without a label, by its number of positive examples.

    :ivar counts: rising from `NOTHING`; the count that each bucket stands for.
        *Shape:* (n_buckets,)
    :ivar features: names, see `tagger.statistics.log_odds.feature_names`.
    :ivar present: mean features of issues with the label. *Shape:* (n_buckets, n_features)
    :ivar absent: of issues without it. *Shape:* (n_buckets, n_features)
    :ivar covariance: within both. *Shape:* (n_buckets, n_features, n_features)
    :ivar correction: intercept, slope on the discriminant, slope on the log odds of the share,
        that make probabilities true on average. *Shape:* (n_buckets, 3)
    :ivar competition: intercept, slope on a label's log odds, slope on those of its strongest
        rival on the same issue: an issue that is surely a bug is less of an enhancement.
        *Shape:* (n_buckets, 3)
    :ivar narrower: the same of fewer members, measured on more repositories: it weighs them where
        they are among themselves.
    """

    counts: Array
    features: tuple[str, ...]
    present: Array
    absent: Array
    covariance: Array
    correction: Array
    competition: Array
    narrower: FeatureMoments | None = None

    @classmethod
    def shipped(cls) -> Self:
        """The numbers that come with the product."""
        return cls.from_json(json.loads((files(__package__) / "prior.json").read_text("utf-8")))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        arrays = {
            name: np.asarray(data[name], dtype=np.float64)
            for name in tuple(cls.__dataclass_fields__)
            if name not in {"features", "narrower"}
        }
        narrower = cls.from_json(data["narrower"]) if "narrower" in data else None
        return cls(features=tuple(data["features"]), narrower=narrower, **arrays)

    def weigh(self, features: Sequence[str], counts: Array) -> DiscriminantWeights:
        """Weights of these features for labels with so many positive examples (or `NOTHING`).

        :raises ValueError: a feature that was never measured.
        """
        measured = [_measured_as(name) for name in features]
        if self.narrower is not None and set(measured) <= set(self.narrower.features):
            return self.narrower.weigh(features, counts)
        unknown = set(measured) - set(self.features)
        if unknown:
            raise ValueError(f"no prior for {', '.join(sorted(unknown))}; see docs/benchmarks")
        columns = [self.features.index(name) for name in measured]
        place = np.interp(np.log2(1 + counts), np.log2(1 + self.counts), self._steps)
        present = _between(self.present, place)[:, columns]
        absent = _between(self.absent, place)[:, columns]
        covariance = _between(self.covariance, place)[:, columns][:, :, columns]
        covariance = covariance + RIDGE * np.eye(len(columns))
        slopes: Array = np.linalg.solve(covariance, (present - absent)[..., None])[..., 0].astype(
            np.float64
        )
        middle = ((present + absent) / 2 * slopes).sum(axis=1)
        return DiscriminantWeights(
            slopes, middle, _between(self.correction, place), _between(self.competition, place)
        )

    def knows(self, member: str) -> bool:
        """Whether it can weigh this member."""
        return _measured_as(f"{member}:z") in self.features

    @property
    def _steps(self) -> Array:
        return np.arange(len(self.counts), dtype=np.float64)


@dataclass(frozen=True)
class DiscriminantWeights:
    """One discriminant for each label.

    :ivar slopes: *Shape:* (n_labels, n_features)
    :ivar middle: where it is zero. *Shape:* (n_labels,)
    :ivar correction: see `FeatureMoments`. *Shape:* (n_labels, 3)
    :ivar competition: see `FeatureMoments`. *Shape:* (n_labels, 3)
    """

    slopes: Array
    middle: Array
    correction: Array
    competition: Array

    def discriminant(self, features: Array) -> Array:
        """*Shape:* (n_issues, n_labels)"""
        return np.asarray((features * self.slopes).sum(axis=-1) - self.middle)

    def log_odds(self, features: Array, share: Array) -> Array:
        """Log odds that the label belongs. *Shape:* (n_issues, n_labels)

        :param share: each label's share of issues, in (0, 1). *Shape:* (n_labels,)
        """
        alone = self.uncontested(features, share)
        if alone.shape[1] < 2:
            return alone
        intercept, slope, weight = self.competition.T
        return np.asarray(intercept + slope * alone + weight * strongest_rival(alone))

    def uncontested(self, features: Array, share: Array) -> Array:
        """As `log_odds`, each label as if it were the only one."""
        intercept, slope, prior = self.correction.T
        odds = logit(share)
        return np.asarray(intercept + slope * self.discriminant(features) + prior * odds)


@dataclass(frozen=True)
class CalibratedPrior:
    """The prior of one member whose scores are calibrated probabilities: they stand as they are.

    :ivar mean: the member's usual log odds, see `features.Usual`. *Shape:* (n_labels,)
    """

    mean: Array

    def weigh(self, features: Sequence[str], counts: Array) -> DiscriminantWeights:
        """The weights under which log odds come out as they went in.

        :raises ValueError: `features` are not the two of one member.
        """
        if len(features) != 2:
            raise ValueError(f"got {', '.join(features)}, expected the two features of one member")
        unchanged = np.tile([0.0, 1.0, 0.0], (len(counts), 1))
        slopes = np.tile([0.0, 1.0], (len(counts), 1))
        return DiscriminantWeights(slopes, -self.mean, unchanged, unchanged)


def _measured_as(feature: str) -> str:
    member, _, kind = feature.partition(":")
    return f"{MEASURED_AS.get(member, member)}:{kind}"


def strongest_rival(log_odds: Array) -> Array:
    """The highest log odds among the other labels of each issue; at least two labels.

    *Shape:* (n_issues, n_labels), as `log_odds`; within 6 of zero.
    """
    ranked = np.sort(log_odds, axis=1)
    best, second = ranked[:, -1:], ranked[:, -2:-1]
    return np.asarray(np.clip(np.where(log_odds == best, second, best), -6, 6))


def _between(table: Array, place: Array) -> Array:
    """Rows of `table` at fractional places, linearly between neighbours."""
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, len(table) - 1)
    part = (place - below).reshape(-1, *[1] * (table.ndim - 1))
    return np.asarray((1 - part) * table[below] + part * table[above])
