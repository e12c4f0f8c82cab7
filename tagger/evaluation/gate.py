"""The gate: a new release is promoted unless held-out issues show that it is worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.evaluation.bootstrap import LEVEL, METRICS, Comparison, Metric, paired_bootstrap
from tagger.evaluation.metrics import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.evaluation.metrics import Decisions, Truth
    from tagger.evaluation.stratification import Rows

DOUBT = 0.05
"""How often an equal release may be refused by chance; shared evenly among the metrics."""

_IN_WORDS: dict[Metric, str] = {"micro_f1": "micro F1", "macro_f1": "macro F1"}


@dataclass(frozen=True)
class GateFigure:
    """One metric of both releases on the same issues; `comparison` is new minus active."""

    metric: Metric
    new: float
    active: float
    comparison: Comparison
    worse: bool

    @property
    def sentence(self) -> str:
        """The figure for people."""
        change = self.comparison.difference
        return (
            f"{_IN_WORDS[self.metric]} {self.new:.3f} against {self.active:.3f} "
            f"({change.value:+.3f}, {LEVEL:.0%} interval {change.low:+.3f} to {change.high:+.3f})"
        )


@dataclass(frozen=True)
class GateLabel:
    """One label's F1 under both releases."""

    name: str
    support: int
    new_f1: float
    active_f1: float


@dataclass(frozen=True)
class GateDecision:
    """Promote or refuse, and why: everything needed to check the decision later."""

    promote: bool
    reason: str
    n_issues: int
    figures: tuple[GateFigure, ...] = ()
    labels: tuple[GateLabel, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the release."""
        return {
            "promote": self.promote,
            "reason": self.reason,
            "n_issues": self.n_issues,
            "figures": [
                {
                    "metric": one.metric,
                    "new": one.new,
                    "active": one.active,
                    "difference": one.comparison.difference.value,
                    "difference_ci": [
                        one.comparison.difference.low,
                        one.comparison.difference.high,
                    ],
                    "p_worse": one.comparison.p_worse,
                    "worse": one.worse,
                }
                for one in self.figures
            ],
            "labels": [vars(label) for label in self.labels],
        }


def first_release() -> GateDecision:
    """Nothing is active yet, so nothing can be worse than it."""
    return GateDecision(True, "no release is active yet", 0)


def decide(
    truth: Truth,
    new: Decisions,
    active: Decisions,
    names: Sequence[str],
    *,
    seed: int = 0,
    doubt: float = DOUBT,
) -> GateDecision:
    """Compare two releases' decisions on issues that neither has learned from.

    Refused where the one-sided paired bootstrap shows micro or macro F1 lower. The alarm of the
    periodic report asks the same of this run's decisions and the last run's.

    :param truth: *Shape:* (n_issues, n_labels); so are `new` and `active`. A label that a
        release does not know is one that it never gives.
    :param names: the labels, in the columns' order.
    :raises ValueError: shapes differ.
    """
    if not truth.shape == new.shape == active.shape == (len(truth), len(names)):
        raise ValueError(
            f"truth {truth.shape}, new {new.shape} and active {active.shape} must all be "
            f"(n_issues, {len(names)})"
        )
    if not len(truth):
        return GateDecision(True, "there is no held-out issue to compare on", 0)
    figures = tuple(_figure(truth, (new, active), metric, seed, doubt) for metric in METRICS)
    worse = [one for one in figures if one.worse]
    told = "; ".join(one.sentence for one in worse or figures)
    verdict = "worse than the active release" if worse else "not worse than the active release"
    reason = f"{verdict} on {len(truth)} held-out issues: {told}"
    return GateDecision(not worse, reason, len(truth), figures, _labels(truth, new, active, names))


def common_rows(first: Sequence[int], second: Sequence[int]) -> tuple[Rows, Rows]:
    """Rows of the issue numbers that both runs have, in one order: what can be compared pairwise.

    :returns: rows of `first` and rows of `second`, of equal length.
    """
    _, left, right = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return left, right


def _figure(
    truth: Truth, releases: tuple[Decisions, Decisions], metric: Metric, seed: int, doubt: float
) -> GateFigure:
    comparison = paired_bootstrap(truth, *releases, metric, seed=seed)
    values = [float(getattr(Counts.of(truth, own), metric)) for own in releases]
    worse = comparison.p_worse > 1 - doubt / len(METRICS)
    return GateFigure(metric, values[0], values[1], comparison, worse)


def _labels(
    truth: Truth, new: Decisions, active: Decisions, names: Sequence[str]
) -> tuple[GateLabel, ...]:
    own, other = Counts.of(truth, new), Counts.of(truth, active)
    columns = zip(names, own.true, own.f1, other.f1, strict=True)
    return tuple(GateLabel(name, int(n), float(a), float(b)) for name, n, a, b in columns)
