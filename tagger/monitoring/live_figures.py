"""Live figures: how good labels are in use, told from what people said to them.

Three ways to know, best first. *asked*: the audit put a label before people with a known
probability; each answer weighs one over it (Horvitz and Thompson 1952, as a ratio: Hájek 1971).
*reviewed*: a person edited the labels of an issue that the audit had drawn; what is not there then
was not wanted. *seen*: the same for every issue, drawn or not: more of them, but of those that
people happened to look at. Where the bot is a shadow nobody saw it, and *seen* is without bias.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

Basis = Literal["asked", "reviewed", "seen"]
BASES: tuple[Basis, ...] = ("asked", "reviewed", "seen")

LEVEL = 0.95
ENOUGH = 5
"""Answers from which a better basis is preferred to one with more of them."""


@dataclass(frozen=True, slots=True)
class JudgedLabel:
    """One label of one issue: what the release decided, and whether people wanted it.

    :ivar decision: "apply", "suggest" or "abstain".
    :ivar wanted: by the question's answer; None: nobody answered.
    :ivar stands: whether people have it on the issue; counts once they `reviewed` its labels.
    :ivar asked: probability of the audit's question, in (0, 1]; None: there was none.
    :ivar drawn: probability with which the audit drew the issue; None: it did not.
    """

    number: int
    label: str
    at: datetime
    decision: str
    wanted: bool | None
    stands: bool
    reviewed: bool
    asked: float | None = None
    drawn: float | None = None

    def on(self, basis: Basis) -> tuple[bool, float] | None:
        """Whether it was wanted, and the weight of that, or None where the basis does not tell."""
        if basis == "asked":
            is_complete = self.asked is not None and self.wanted is not None
            return (bool(self.wanted), 1 / (self.asked or 1)) if is_complete else None
        if not self.reviewed or (basis == "reviewed" and self.drawn is None):
            return None
        return self.stands, 1 / (self.drawn or 1) if basis == "reviewed" else 1.0


@dataclass(frozen=True, slots=True)
class WeightedShare:
    """A weighted share with its interval.

    :ivar value: None where nothing was answered.
    :ivar low, high: Clopper and Pearson's interval at the effective sample size (Kish 1965;
        Korn and Graubard 1998), which is exact where all weights are equal.
    :ivar n: answers that it rests on.
    """

    value: float | None
    low: float
    high: float
    n: int
    basis: Basis

    def to_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "ci": [self.low, self.high],
            "n": self.n,
            "basis": self.basis,
        }


@dataclass(frozen=True, slots=True)
class LiveLabel:
    """One label in one week, or in all of them.

    :ivar week: its Monday; None: all weeks.
    :ivar precision: of what the release would set, the share that people wanted.
    :ivar miss_rate: of what people wanted, the share that the release kept to itself.
    :ivar coverage: of what people wanted, the share that it would set.
    :ivar decided: labels in the period that it would set or suggest.
    """

    label: str
    week: date | None
    precision: WeightedShare
    miss_rate: WeightedShare
    coverage: WeightedShare
    decided: int

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "week": self.week.isoformat() if self.week else None,
            "precision": self.precision.to_json(),
            "miss_rate": self.miss_rate.to_json(),
            "coverage": self.coverage.to_json(),
            "decided": self.decided,
        }


def live_figures(outcomes: Iterable[JudgedLabel], *, weekly: bool = True) -> tuple[LiveLabel, ...]:
    """Each label over all weeks, by name, then each label in each week."""
    groups: dict[tuple[date, str], list[JudgedLabel]] = defaultdict(list)
    for outcome in outcomes:
        groups[date.min, outcome.label].append(outcome)
        if weekly:
            groups[_monday(outcome.at), outcome.label].append(outcome)
    return tuple(
        _figures(label, None if week == date.min else week, group)
        for (week, label), group in sorted(groups.items())
    )


def _figures(label: str, week: date | None, group: Sequence[JudgedLabel]) -> LiveLabel:
    return LiveLabel(
        label,
        week,
        precision=_best(
            group, lambda label, _: label.decision == "apply", lambda _, wanted: wanted
        ),
        miss_rate=_best(group, _wanted, lambda label, _: label.decision == "abstain"),
        coverage=_best(group, _wanted, lambda label, _: label.decision == "apply"),
        decided=sum(judged_label.decision != "abstain" for judged_label in group),
    )


def _wanted(_: JudgedLabel, wanted: bool) -> bool:
    return wanted


def _best(
    group: Sequence[JudgedLabel],
    among: Callable[[JudgedLabel, bool], bool],
    hit: Callable[[JudgedLabel, bool], bool],
) -> WeightedShare:
    """On the best basis that has enough answers, else on the one that has most."""
    shares = []
    for basis in BASES:
        pairs = []
        for judged_label in group:
            answer = judged_label.on(basis)
            if answer is not None and among(judged_label, answer[0]):
                pairs.append((hit(judged_label, answer[0]), answer[1]))
        shares.append(weighted_share(pairs, basis))
        if shares[-1].n >= ENOUGH:
            return shares[-1]
    return max(shares, key=lambda share: share.n)


def weighted_share(pairs: Sequence[tuple[bool, float]], basis: Basis = "seen") -> WeightedShare:
    """Share of hits among (hit, weight) pairs; weights are above 0."""
    if not pairs:
        return WeightedShare(None, 0.0, 1.0, 0, basis)
    total = sum(weight for _, weight in pairs)
    value = sum(weight for hit, weight in pairs if hit) / total
    effective = total**2 / sum(weight**2 for _, weight in pairs)
    low, high = clopper_pearson(value * effective, effective)
    return WeightedShare(value, low, high, len(pairs), basis)


def clopper_pearson(hits: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934); takes broken numbers as well."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    misses = max(trials - hits, 0.0)
    low = float(beta.ppf(tail, hits, misses + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, misses)) if misses > 1e-9 else 1.0
    return low, high


def _monday(moment: datetime) -> date:
    day = moment.date()
    return day - timedelta(days=day.weekday())
