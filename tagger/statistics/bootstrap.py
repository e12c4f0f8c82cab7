"""Bootstrap over issues: intervals for one system, and whether two really differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tagger.statistics.metrics import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.statistics.metrics import Decisions, Floats, Truth

N_RESAMPLES = 1000
LEVEL = 0.95

Metric = Literal["micro_f1", "macro_f1"]
METRICS: tuple[Metric, ...] = ("micro_f1", "macro_f1")


@dataclass(frozen=True)
class Interval:
    """A figure and where it may lie.

    :ivar low, high: the ends of the percentile interval (Efron 1979).
    """

    value: float
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same issues.

    :ivar difference: first minus second, with its interval.
    :ivar p_worse: share of resamples in which the first does worse than the second (ties count
        half): small where the first is better, near 1 where it is worse.
    """

    difference: Interval
    p_worse: float


def resample_weights(n_issues: int, n_resamples: int, seed: int) -> NDArray[np.float32]:
    """How often each issue is drawn in each resample. *Shape:* (n_resamples, n_issues)"""
    rng = np.random.default_rng(seed)
    share = np.full(n_issues, 1 / n_issues)
    return rng.multinomial(n_issues, share, size=n_resamples).astype(np.float32)


def resampled_counts(truth: Truth, decided: Decisions, weights: NDArray[np.float32]) -> Counts:
    """Counts of every resample at once. *Shape of each part:* (n_resamples, n_labels)"""
    parts = (truth & decided, decided, truth)
    return Counts(*((weights @ part.astype(np.float32)).astype(float) for part in parts))


def replicates(
    truth: Truth,
    decided: Decisions,
    metric: Metric,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Floats:
    """The metric in each resample of the issues. *Shape:* (n_resamples,)

    The same seed and number of issues draw the same resamples, so that two systems' replicates
    are paired.
    """
    weights = resample_weights(len(truth), n_resamples, seed)
    counts = resampled_counts(truth, decided, weights)
    return np.asarray(getattr(counts, metric), dtype=float)


def interval(value: float, drawn: Floats, level: float = LEVEL) -> Interval:
    """Percentile interval of replicates, widened where need be to hold the value itself."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(min(low, value)), float(max(high, value)))


def metric_interval(
    truth: Truth,
    decided: Decisions,
    metric: Metric,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """One system's figure with its interval over issues."""
    drawn = replicates(truth, decided, metric, seed=seed, n_resamples=n_resamples)
    return interval(float(getattr(Counts.of(truth, decided), metric)), drawn)


def pooled_interval(values: Sequence[float], drawn: Sequence[Floats], *, seed: int = 0) -> Interval:
    """Interval of a mean over seeds: seeds are drawn first, then the issues of each.

    :param values: the figure of each seed.
    :param drawn: each seed's replicates, all of one length.
    """
    matrix = np.stack(drawn)  # (n_seeds, n_resamples)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(matrix), size=matrix.shape)
    means = np.take_along_axis(matrix, chosen, axis=0).mean(axis=0)
    return interval(float(np.mean(values)), means)


def paired_bootstrap(
    truth: Truth,
    first: Decisions,
    second: Decisions,
    metric: Metric,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Comparison:
    """Compare two systems' decisions on the same issues (Koehn 2004; Berg-Kirkpatrick 2012)."""
    weights = resample_weights(len(truth), n_resamples, seed)
    drawn = [
        getattr(resampled_counts(truth, decided, weights), metric) for decided in (first, second)
    ]
    value = [float(getattr(Counts.of(truth, decided), metric)) for decided in (first, second)]
    difference = drawn[0] - drawn[1]
    return Comparison(interval(value[0] - value[1], difference, level), _share_below(difference))


def paired_bootstrap_of_losses(
    first: Floats,
    second: Floats,
    *,
    margin: float = 0.0,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Comparison:
    """Compare what two systems lose on each of the same issues; more is worse.

    :param first: *Shape:* (n_issues,), as `second`.
    :param margin: by which the first may lose more and still do no worse.
    """
    lost = np.asarray(first - second, dtype=float)
    drawn = resample_weights(len(lost), n_resamples, seed).astype(float) @ lost / len(lost)
    return Comparison(interval(float(lost.mean()), drawn, level), _share_below(margin - drawn))


def _share_below(difference: Floats) -> float:
    return float((difference < 0).mean() + 0.5 * (difference == 0).mean())
