"""The audit: labels that are probably wrong, missing, confused, doubled, dead or set by bots only.

Suspicion is self-confidence of confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70),
each label on its own as for multi-label data (Thyagarajan, Snorrason, Northcutt and Mueller 2022,
arXiv 2211.13895). Issues rank by their most suspicious label. That rule was the best of eight of
our own on real issues (hf-10, and 2,000 issues of matomo-14; logistic heads on TF-IDF; two seeds)
with labels spoilt in 5 % of them. Share of the spoilt ones found in the first tenth:

    rule                                   label flipped    label exchanged
    most suspicious label (this file)      .69 to .91       .67 to .89
    cleanlab 2.9, self confidence          .37 to .48       .53 to .91
    cleanlab 2.9, weighted entropy         .45 to .72       .67 to .93

cleanlab averages over an issue's labels: as good or better where a label was exchanged
for another (two entries are wrong), behind where only one is. The
rule was chosen on these very figures, so expect its lead to be somewhat smaller elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from tagger.statistics.metrics import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.statistics.metrics import Decisions, Truth

SHOWN = 5
"""Issues that stand as examples beside a finding."""

ALIKE_NAMES, ALIKE_ISSUES = 0.85, 0.8
"""Similarity of two labels' names (Ratcliff and Obershelp) or issues (Jaccard) to be doubles."""


@dataclass(frozen=True)
class Suspect:
    """A label of one issue that the other issues speak against.

    :ivar kind: "wrong": it is set and should not be; "missing": it is not set and should be.
    :ivar suspicion: out-of-fold probability that the label stands as it should not, in [0, 1].
    :ivar confident: the probability exceeds what issues that do stand so have on average.
    """

    number: int
    label: str
    kind: Literal["wrong", "missing"]
    suspicion: float
    confident: bool


@dataclass(frozen=True)
class ConfusedPair:
    """Issues of `true` that would be given `given` instead; `issues` are examples."""

    true: str
    given: str
    count: int
    share: float
    issues: tuple[int, ...]


@dataclass(frozen=True)
class LabelUse:
    """What the repository knows of one label.

    :ivar issues: numbers of the issues that carry it.
    :ivar by_people, by_bots: how often either has set it; both 0 where nobody knows.
    :ivar last_set: when it was last set; None where never, or where nobody knows.
    """

    name: str
    issues: frozenset[int]
    by_people: int = 0
    by_bots: int = 0
    last_set: datetime | None = None


@dataclass(frozen=True)
class Doubles:
    """Two labels that may be one, and why."""

    first: str
    second: str
    why: str
    issues: tuple[int, ...]


def suspects(data: TrainingSet, scores: NDArray[np.float32]) -> list[Suspect]:
    """Every label of every issue that its scores speak against, most suspicious first.

    :param scores: out-of-fold scores. *Shape:* (n_issues, n_labels), in [0, 1]
    """
    given_labels = data.targets
    probabilities = scores.astype(float)
    suspicion = np.where(given_labels, 1 - probabilities, probabilities)
    confident = suspicion >= np.where(
        given_labels, _usual(1 - probabilities, ~given_labels), _usual(probabilities, given_labels)
    )
    order = np.argsort(-suspicion, axis=None, kind="stable")
    order = order[suspicion.ravel()[order] > 0.5]
    rows, columns = np.unravel_index(order, suspicion.shape)
    return [
        Suspect(
            data.numbers[row],
            data.names[column],
            "wrong" if given_labels[row, column] else "missing",
            float(suspicion[row, column]),
            bool(confident[row, column]),
        )
        for row, column in zip(rows, columns, strict=True)
    ]


def suspect_issues(data: TrainingSet, scores: NDArray[np.float32]) -> list[int]:
    """All issue numbers, the one with the most suspicious label first."""
    suspicion = np.where(data.targets, 1 - scores, scores).max(axis=1)
    return [data.numbers[row] for row in np.argsort(-suspicion, kind="stable")]


def _usual(probabilities: NDArray[np.float64], among: Truth) -> NDArray[np.float64]:
    """Mean of each column among the rows where it is so: confident learning's threshold."""
    usual = ratio((probabilities * among).sum(axis=0), among.sum(axis=0))
    return np.where(among.any(axis=0), usual, 1.0)


def confusions(truth: Truth, decided: Decisions) -> NDArray[np.int_]:
    """How many issues of one label (row) missed it and wrongly got another (column).

    :returns: *Shape:* (n_labels, n_labels)
    """
    missed, wrong = truth & ~decided, decided & ~truth
    counts: NDArray[np.int_] = missed.T.astype(int) @ wrong.astype(int)
    return counts


def confused_pairs(data: TrainingSet, decided: Decisions, least: int = 3) -> list[ConfusedPair]:
    """Pairs of labels confused in at least `least` issues, most often first.

    :param decided: out-of-fold decisions. *Shape:* (n_issues, n_labels)
    """
    counts = confusions(data.targets, decided)
    pairs = []
    for true, predicted in zip(*np.nonzero(counts >= least), strict=True):
        missed = data.targets[:, true] & ~decided[:, true]
        rows = np.flatnonzero(missed & decided[:, predicted] & ~data.targets[:, predicted])
        share = len(rows) / max(int(data.positives[true]), 1)
        examples = tuple(data.numbers[row] for row in rows[:SHOWN])
        pairs.append(
            ConfusedPair(data.names[true], data.names[predicted], len(rows), share, examples)
        )
    return sorted(pairs, key=lambda pair: (-pair.count, pair.true, pair.given))


def doubles(uses: Sequence[LabelUse]) -> list[Doubles]:
    """Pairs of labels with nearly the same name, or on nearly the same issues."""
    generator = (_double(first, second) for first, second in combinations(uses, 2))
    return [pair for pair in generator if pair is not None]


def _double(first: LabelUse, second: LabelUse) -> Doubles | None:
    common = first.issues & second.issues
    shared = len(common) / max(len(first.issues | second.issues), 1)
    examples = tuple(sorted(common)[:SHOWN])
    names = _plain(first.name), _plain(second.name)
    if names[0] == names[1] or _alike(*names) >= ALIKE_NAMES:
        return Doubles(first.name, second.name, "their names are nearly the same", examples)
    if shared >= ALIKE_ISSUES and len(common) >= SHOWN:
        why = f"they stand together on {shared:.0%} of the issues that have either"
        return Doubles(first.name, second.name, why, examples)
    return None


def _plain(name: str) -> str:
    """A name's words without case, signs, order and plural: "Type: Bugs" and "bug, type"."""
    words = re.findall(r"[^\W_]+", name.casefold())
    return " ".join(sorted(word.removesuffix("s") if len(word) > 3 else word for word in words))


def _alike(first: str, second: str) -> float:
    if Counter(re.findall(r"\d+", first)) != Counter(re.findall(r"\d+", second)):
        return 0.0  # "v1" and "v2", "P0" and "P1" are meant to differ
    return SequenceMatcher(None, first, second).ratio()


def dead_labels(uses: Iterable[LabelUse], now: datetime, quiet: timedelta) -> list[LabelUse]:
    """Labels on no issue, or last set longer ago than `quiet`."""
    return [
        use
        for use in uses
        if not use.issues or (use.last_set is not None and now - use.last_set > quiet)
    ]


def bot_only_labels(uses: Iterable[LabelUse]) -> list[LabelUse]:
    """Labels that bots have set and no person ever has: nothing to learn from them."""
    return [use for use in uses if use.by_bots and not use.by_people]
