"""The gate: a new release is promoted unless held-out issues show that it is worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from tagger.statistics.bootstrap import (
    LEVEL,
    METRICS,
    Comparison,
    Interval,
    Metric,
    paired_bootstrap,
    paired_bootstrap_of_losses,
)
from tagger.statistics.metrics import Counts, brier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagger.domain.strategy import Scores
    from tagger.statistics.metrics import Decisions, Truth
    from tagger.statistics.stratification import Rows

DOUBT = 0.05
"""How often an equal release may be refused by chance; shared evenly among the metrics."""

MARGIN = 0.01
"""By which a Brier score may rise, as a share of what telling each issue the labels' frequencies
scores. Two releases from the same issues are now and then a hair apart on nearly every issue,
which a bootstrap rightly calls certain and nobody would notice."""

GateMetric = Literal["micro_f1", "macro_f1", "brier"]

_IN_WORDS: dict[GateMetric, str] = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "brier": "Brier score (less is better)",
}


@dataclass(frozen=True)
class GateFigure:
    """One metric of both releases on the same issues; `comparison` is new minus active."""

    metric: GateMetric
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

    def to_json(self) -> dict[str, Any]:
        difference = self.comparison.difference
        return {
            "metric": self.metric,
            "new": self.new,
            "active": self.active,
            "difference": difference.value,
            "difference_ci": [difference.low, difference.high],
            "p_worse": self.comparison.p_worse,
            "worse": self.worse,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        interval = Interval(stored["difference"], *stored["difference_ci"])
        comparison = Comparison(interval, stored["p_worse"])
        return cls(stored["metric"], stored["new"], stored["active"], comparison, stored["worse"])


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
            "figures": [figure.to_json() for figure in self.figures],
            "labels": [vars(label) for label in self.labels],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """A decision as it was stored; the figures are those that were compared then."""
        return cls(
            stored["promote"],
            stored["reason"],
            stored["n_issues"],
            tuple(map(GateFigure.from_json, stored["figures"])),
            tuple(GateLabel(**label) for label in stored["labels"]),
        )


def first_release() -> GateDecision:
    """Nothing is active yet, so nothing can be worse than it."""
    return GateDecision(True, "no release is active yet", 0)


def decide(
    truth: Truth,
    new: Decisions,
    active: Decisions,
    names: Sequence[str],
    *,
    scores: tuple[Scores, Scores] | None = None,
    seed: int = 0,
    doubt: float = DOUBT,
) -> GateDecision:
    """Compare two releases on issues that neither has learned from.

    Refused where the one-sided paired bootstrap shows micro or macro F1 lower, or probabilities
    further from the labels by more than `MARGIN`: what is applied under a promise hangs on those,
    and they tell a worse release from an equal one on fewer issues, for every issue and label says
    something. The alarm of the periodic report asks the same of this run's decisions and the last
    run's.

    :param truth: *Shape:* (n_issues, n_labels); so are `new` and `active`. A label that a
        release does not know is one that it never gives.
    :param names: the labels, in the columns' order.
    :param scores: probabilities of both, new first; 0 for a label that a release does not know.
        Same shape. None: only decisions are compared.
    :raises ValueError: shapes differ.
    """
    _check_shapes(truth, new, active, len(names))
    if not len(truth):
        return GateDecision(True, "there is no held-out issue to compare on", 0)
    bound = 1 - doubt / (len(METRICS) + (scores is not None))
    figures = tuple(_f1(truth, (new, active), metric, seed, bound) for metric in METRICS)
    if scores is not None:
        figures += (_brier(truth, scores, seed, bound),)
    worse = [figure for figure in figures if figure.worse]
    reasons = "; ".join(figure.sentence for figure in worse or figures)
    verdict = f"{'' if worse else 'not '}worse than the active release"
    reason = f"{verdict} on {len(truth)} held-out issues: {reasons}"
    return GateDecision(not worse, reason, len(truth), figures, _labels(truth, new, active, names))


def _check_shapes(truth: Truth, new: Decisions, active: Decisions, n_labels: int) -> None:
    if not truth.shape == new.shape == active.shape == (len(truth), n_labels):
        raise ValueError(
            f"truth {truth.shape}, new {new.shape} and active {active.shape} must all be "
            f"(n_issues, {n_labels})"
        )


def common_rows(first: Sequence[int], second: Sequence[int]) -> tuple[Rows, Rows]:
    """Rows of the issue numbers that both runs have, in one order: what can be compared pairwise.

    :returns: rows of `first` and rows of `second`, of equal length.
    """
    _, left, right = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return left, right


def _f1(
    truth: Truth, releases: tuple[Decisions, Decisions], metric: Metric, seed: int, bound: float
) -> GateFigure:
    comparison = paired_bootstrap(truth, *releases, metric, seed=seed)
    values = [float(getattr(Counts.of(truth, release), metric)) for release in releases]
    return GateFigure(metric, values[0], values[1], comparison, comparison.p_worse > bound)


def _brier(truth: Truth, releases: tuple[Scores, Scores], seed: int, bound: float) -> GateFigure:
    new, active = (brier(truth, release.astype(float)) for release in releases)
    shares = truth.mean(axis=0)
    margin = MARGIN * float((shares * (1 - shares)).mean())
    comparison = paired_bootstrap_of_losses(new, active, margin=margin, seed=seed)
    values = float(new.mean()), float(active.mean())
    return GateFigure("brier", *values, comparison, comparison.p_worse > bound)


def _labels(
    truth: Truth, new: Decisions, active: Decisions, names: Sequence[str]
) -> tuple[GateLabel, ...]:
    counts, other = Counts.of(truth, new), Counts.of(truth, active)
    columns = zip(names, counts.true, counts.f1, other.f1, strict=True)
    return tuple(GateLabel(name, int(n), float(a), float(b)) for name, n, a, b in columns)
