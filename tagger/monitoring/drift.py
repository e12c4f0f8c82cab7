"""Drift: whether new issues are still like those that the release learned from.

Three signs, each a share that was so before and is so now, compared by Newcombe's interval for the
difference of two shares (Newcombe 1998, method 10, without continuity correction): how often each
label is given, how many words were never read in training, how often the release says nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tagger.domain.issue import IssueText

Sign = Literal["label", "vocabulary", "abstention"]

DOUBT = 0.05
"""How often something that did not change may be taken for a change, over all signs together."""

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Counted:
    """So many of so many."""

    part: float
    whole: float

    @property
    def share(self) -> float:
        return self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """One sign, then and now.

    :ivar what: the label's name, or the sign in words.
    :ivar low, high: where the difference (now minus then) may lie.
    :ivar beyond_noise: the interval leaves out 0, with room for having looked at several signs.
    """

    sign: Sign
    what: str
    before: Counted
    now: Counted
    low: float
    high: float

    @property
    def beyond_noise(self) -> bool:
        return bool(self.before.whole and self.now.whole) and not self.low <= 0 <= self.high

    def to_json(self) -> dict[str, Any]:
        return {
            "sign": self.sign,
            "what": self.what,
            "before": self.before.share,
            "now": self.now.share,
            "n_before": self.before.whole,
            "n_now": self.now.whole,
            "difference_ci": [self.low, self.high],
            "beyond_noise": self.beyond_noise,
        }


def changes(
    labels: Mapping[str, tuple[Counted, Counted]],
    vocabulary: tuple[Counted, Counted] | None,
    abstention: tuple[Counted, Counted] | None,
) -> tuple[Change, ...]:
    """Every sign with its verdict; each is given as (before, now)."""
    signs: list[tuple[Sign, str, tuple[Counted, Counted]]] = [
        ("label", name, pair) for name, pair in labels.items()
    ]
    if vocabulary is not None:
        signs.append(("vocabulary", "words never read in training", vocabulary))
    if abstention is not None:
        signs.append(("abstention", "issues without a label set or suggested", abstention))
    doubt = DOUBT / max(len(signs), 1)
    return tuple(
        Change(sign, what, before, now, *newcombe(before, now, doubt))
        for sign, what, (before, now) in signs
    )


def newcombe(before: Counted, now: Counted, doubt: float = DOUBT) -> tuple[float, float]:
    """Where `now` minus `before` may lie."""
    low_1, high_1 = wilson(now, doubt)
    low_2, high_2 = wilson(before, doubt)
    difference = now.share - before.share
    down = math.hypot(now.share - low_1, high_2 - before.share)
    up = math.hypot(high_1 - now.share, before.share - low_2)
    return difference - down, difference + up


def wilson(counted: Counted, doubt: float = DOUBT) -> tuple[float, float]:
    """Wilson's interval of a share (1927); of nothing, all there is."""
    from scipy.stats import norm

    n, p = counted.whole, counted.share
    if not n:
        return 0.0, 1.0
    z = float(norm.ppf(1 - doubt / 2))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def unread_words(issues: Sequence[IssueText], learned: frozenset[str]) -> Counted:
    """Sum over issues of the share of distinct words that training never read, and their number.

    Words of one issue hang together, so that each issue counts as one observation, not each word.
    """
    shares = [_unread(issue, learned) for issue in issues]
    return Counted(sum(shares), len(shares))


def vocabulary(issues: Iterable[IssueText]) -> frozenset[str]:
    """Distinct words of three letters or more, folded."""
    return frozenset().union(*(_words(issue) for issue in issues))


def _unread(issue: IssueText, learned: frozenset[str]) -> float:
    words = _words(issue)
    return len(words - learned) / len(words) if words else 0.0


def _words(issue: IssueText) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(issue.full))


@dataclass(frozen=True, slots=True)
class Gain:
    """What a training now may bring, read off the learning curve of the last evaluation.

    :ivar per_doubling: micro F1 gained when labelled issues last doubled.
    :ivar expected: for the issues labelled since the release was trained.
    """

    strategy: str
    per_doubling: float
    expected: float
    learned: int
    labelled: int

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def expected_gain(
    summary: Sequence[Mapping[str, Any]], learned: int, labelled: int, strategy: str = "chain"
) -> Gain | None:
    """Draw the curve's last rise on to the issues that are labelled now.

    A curve tends to flatten, so rather less than that comes true. None where no evaluation has
    two slices of the strategy.

    :param summary: of `report.json`.
    :param learned: labelled issues that the release learned from; `labelled`: that there are now.
    """
    steps = sorted(
        (row["n_train"], row["micro_f1"])
        for row in summary
        if row["strategy"] == strategy and row["n_train"] > 0
    )
    if len(steps) < 2 or steps[-1][0] == steps[-2][0]:
        return None
    (size_1, skill_1), (size_2, skill_2) = steps[-2:]
    per_doubling = (skill_2 - skill_1) / max(math.log2(size_2 / size_1), 1.0)
    doublings = math.log2(max(labelled, 1) / max(learned, 1))
    expected = per_doubling * max(doublings, 0.0)
    return Gain(strategy, per_doubling, expected, learned, labelled)
