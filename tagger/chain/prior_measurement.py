"""Measuring the prior: how members' features part issues with a label from those without.

From each repository small training sets are drawn at random; every member learns from one and
scores issues that it has not seen. Only means and covariances of the features are kept of them: no
text is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tagger.chain.members import REFERENCE, counts, reference_texts, shares
from tagger.chain.prior import NOTHING, RIDGE, FeatureMoments, strongest_rival
from tagger.statistics.log_odds import UsualLogOdds, feature_names, stack
from tagger.strategies import create
from tagger.strategies.adapted import ENOUGH_UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores

    Array = NDArray[np.float64]

COUNTS = (NOTHING, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
SIZES = {0: 2, 4: 2, 8: 4, 16: 3, 32: 3, 64: 2, 128: 2, 256: 1, 512: 1, 1000: 1}
"""Training issues, and how many sets of that size are drawn."""

HELD_OUT = 250


@dataclass(frozen=True, eq=False)
class MeasuredIssues:
    """What members said of issues that they had not seen, in all draws of one repository.

    :ivar features: *Shape:* (n_issues, n_labels, n_features)
    :ivar share: each label's smoothed share of the issues learned from.
        *Shape:* (n_issues, n_labels)
    :ivar count: its positive examples among them, or `NOTHING`. *Shape:* (n_issues, n_labels)
    :ivar truth: *Shape:* (n_issues, n_labels)
    :ivar size: how many issues were learned from. *Shape:* (n_issues,)
    :ivar draw: of the draws of that size. *Shape:* (n_issues,)
    """

    features: Array
    share: Array
    count: Array
    truth: NDArray[np.bool_]
    size: NDArray[np.int_]
    draw: NDArray[np.int_]

    @classmethod
    def joined(cls, parts: Sequence[MeasuredIssues]) -> Self:
        """All of them, one after the other."""
        columns = (
            np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)
        )
        return cls(*columns)

    def flat(self) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
        """Features, share, count and truth; a row for each issue and label."""
        by_label = self.features.reshape(-1, self.features.shape[-1])
        return by_label, self.share.ravel(), self.count.ravel(), self.truth.ravel()


@dataclass(frozen=True)
class TrainingDraws:
    """How training sets are drawn.

    :ivar members: names of strategies.
    :ivar largest: issues in the largest training set.
    :ivar share: of the usual number of draws; each size is drawn once at least.
    """

    members: tuple[str, ...]
    largest: int = 1000
    share: float = 1.0

    def measure(self, data: TrainingSet, resources: Resources) -> MeasuredIssues:
        """Draw, fit and score.

        :raises ValueError: there are not enough issues for a single draw.
        """
        parts = list(self._parts(data, resources))
        if not parts:
            raise ValueError(f"got {len(data)} labelled issues, expected at least 1")
        return MeasuredIssues.joined(parts)

    def _parts(self, data: TrainingSet, resources: Resources) -> Iterator[MeasuredIssues]:
        for size, times in SIZES.items():
            for draw in range(max(1, round(times * self.share))):
                split = parted(data, size, draw) if size <= self.largest else None
                if split is not None:
                    resources.progress(f"{size} issues, draw {draw + 1}", draw, times)
                    yield _measured(*split, self.members, resources, draw)


def parted(data: TrainingSet, size: int, draw: int) -> tuple[TrainingSet, TrainingSet] | None:
    """A training set with the texts beside it, and issues that it does not hold.

    None where there are too few issues for both.
    """
    if not len(data) or size + min(HELD_OUT, len(data) // 2) > len(data):
        return None
    order = np.random.default_rng((size, draw)).permutation(len(data))
    rest = tuple(data.issues[row] for row in order[size + HELD_OUT :])
    # the same texts every time where there are enough: what adapts to them does so once
    plenty = len(data.unlabelled) >= ENOUGH_UNLABELLED
    train = replace(
        data.subset(order[:size]),
        unlabelled=data.unlabelled if plenty else data.unlabelled + rest,
        recent=rest[: 2 * REFERENCE],
    )
    return train, data.subset(order[size : size + HELD_OUT])


def _measured(
    train: TrainingSet, test: TrainingSet, members: Sequence[str], resources: Resources, draw: int
) -> MeasuredIssues:
    strategies = [create(name, resources, seed=draw) for name in members]
    fitted = {
        strategy.name: strategy.fit(train)
        for strategy in strategies
        if len(train) or not strategy.needs_examples
    }
    constant = shares(train)[None].astype(np.float32)

    def scores(name: str, issues: Sequence[IssueText]) -> Scores:
        return (
            fitted[name].score(issues) if name in fitted else constant.repeat(len(issues), axis=0)
        )

    reference = reference_texts(train)
    usual = {name: UsualLogOdds.of(scores(name, reference)) for name in members}
    shape = test.targets.shape
    return MeasuredIssues(
        stack({name: scores(name, test.issues) for name in members}, usual),
        np.broadcast_to(shares(train), shape),
        np.broadcast_to(counts(train), shape),
        test.targets,
        np.full(len(test), len(train)),
        np.full(len(test), draw),
    )


def moments_of(members: Sequence[str], repositories: Sequence[MeasuredIssues]) -> dict[str, Any]:
    """Moments by count, as `prior.json` holds them: see `FeatureMoments.from_json`.

    Neighbouring counts lend each other a hand, by a kernel on the logarithm of the count. Each
    repository weighs the same, however many rows it gave: the next one may be like any of them.
    """
    names = feature_names(tuple(members))
    flat = [repository.flat() for repository in repositories]
    features, share, count, truth = (np.concatenate(parts) for parts in zip(*flat, strict=True))
    weights = np.concatenate([np.full(len(rows[1]), 1 / len(rows[1])) for rows in flat])
    weights *= len(weights) / len(flat)
    buckets = [_bucket(features, share, truth, weights * _nearness(count, each)) for each in COUNTS]
    data: dict[str, Any] = {
        "counts": list(COUNTS),
        "features": list(names),
        **{name: [bucket[name] for bucket in buckets] for name in buckets[0]},
        "competition": [[0.0, 1.0, 0.0]] * len(COUNTS),
    }
    alone = FeatureMoments.from_json(data)
    data["competition"] = _competition(alone, repositories, weights)
    return {
        key: value if key in {"counts", "features"} else np.round(np.array(value), 5).tolist()
        for key, value in data.items()
    }


def _bucket(
    features: Array, share: Array, truth: NDArray[np.bool_], weight: Array
) -> Mapping[str, Any]:
    """The moments of one count, to which each row belongs by its weight."""
    present, absent, covariance = _classes(features, weight, truth)
    slopes = np.linalg.solve(covariance + RIDGE * np.eye(features.shape[1]), present - absent)
    discriminant = features @ slopes - (present + absent) @ slopes / 2
    columns = np.column_stack([discriminant, np.log(share / (1 - share))])
    return {
        "present": present,
        "absent": absent,
        "covariance": covariance,
        "correction": _logistic(columns, truth, weight),
    }


def _nearness(counts: Array, count: float) -> Array:
    """Weight of each row for the bucket of `count`; nothing labelled is a world of its own."""
    if count <= 0:
        return np.asarray(counts == count, dtype=float)
    centre = np.log2(1 + min(count, counts.max()))
    return np.asarray(np.exp(-2 * (np.log2(1 + counts) - centre) ** 2) * (counts > 0))


def _classes(
    features: Array, weight: Array, truth: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Means of issues with and without the label, and the covariance within both."""
    yes, no = weight * truth, weight * ~truth
    present = (features * yes[:, None]).sum(0) / yes.sum()
    absent = (features * no[:, None]).sum(0) / no.sum()
    centred = features - np.where(truth[:, None], present, absent)
    # each kind of issue counts half: absent ones would drown the present ones
    half = 0.5 * yes / yes.sum() + 0.5 * no / no.sum()
    return present, absent, (centred * half[:, None]).T @ centred


def _competition(
    moments: FeatureMoments, repositories: Sequence[MeasuredIssues], weights: Array
) -> list[list[float]]:
    """What a label's log odds lose to its strongest rival's on the same issue."""
    columns = []
    for repository in repositories:
        features, share, count, _ = repository.flat()
        alone = moments.weigh(moments.features, count).uncontested(features, share)
        rival = strongest_rival(alone.reshape(repository.truth.shape))
        columns.append(np.column_stack([alone, rival.ravel()]))
    counts_ = np.concatenate([repository.count.ravel() for repository in repositories])
    truth = np.concatenate([repository.truth.ravel() for repository in repositories])
    both = np.concatenate(columns)
    return [_logistic(both, truth, weights * _nearness(counts_, count)) for count in COUNTS]


def _logistic(columns: Array, truth: NDArray[np.bool_], weight: Array) -> list[float]:
    """Intercept and slopes of a weighted logistic regression."""
    from sklearn.linear_model import LogisticRegression

    rows = weight > 1e-3
    fitted = LogisticRegression(C=100, max_iter=1000).fit(columns[rows], truth[rows], weight[rows])
    return [fitted.intercept_[0], *fitted.coef_[0]]
