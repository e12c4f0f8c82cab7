"""From which probability on a duplicate may be named: measured on what people called duplicates.

Every issue is compared with those filed before it, as it would have been when it came. Where
people called it a duplicate, an answer is right if they linked the two, directly or by way of
further issues. Where nobody said anything, nobody can tell: people mark few of their duplicates.
So two things are asked of a threshold: that nine in ten of the answers which people settled were
right, by a lower bound with 90 % confidence; and that among the issues named at all the settled
ones are the majority, lest a few links speak for a thousand issues that are no copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tagger.chain.precision_guarantee import DEFAULT_TARGET, Evidence, lower_bound
from tagger.duplicates.similarity import WordRarity, pair_features

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tagger.duplicates.similarity import IssueWords, Weights
    from tagger.encoders.encoder import Vectors

COMPARED = 10
"""Nearest by vector that are compared by their words as well."""

BLOCK = 256
"""Issues that are compared with all before them at once: 50 MB at 50,000 issues."""


@dataclass(frozen=True)
class Answers:
    """For each issue that has one, the likeliest original among those filed before it.

    :ivar numbers, originals, probabilities: *Shape:* (n_answers,)
    """

    numbers: NDArray[np.int64]
    originals: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def of(self, rows: NDArray[np.bool_]) -> Answers:
        """Some of them."""
        return Answers(self.numbers[rows], self.originals[rows], self.probabilities[rows])


@dataclass(frozen=True, slots=True)
class MeasuredThreshold:
    """A probability from which on an original may be named.

    :ivar precision, bound: share of right answers among those that people settled, and what it
        is at least with 90 % confidence.
    :ivar recall: share of the copies that people named whose original is named.
    """

    probability: float
    precision: float
    bound: float
    recall: float


def replay(
    numbers: Sequence[int], words: Sequence[IssueWords], vectors: Vectors, weights: Weights
) -> Answers:
    """Answer for each issue as if it came when it did.

    :param numbers: rising.
    :param vectors: *Shape:* (n_issues, width), unit length.
    """
    rarity, answers = WordRarity(), []
    for row, (nearest, cosines) in enumerate(_earlier(vectors)):
        speaking = [place for place, each in enumerate(nearest) if not words[each].says_little]
        if speaking and not words[row].says_little:
            compared = [words[nearest[place]] for place in speaking]
            features = pair_features(rarity, words[row], compared, cosines[speaking])
            likely = weights.probabilities(features)
            best = int(np.argmax(likely))
            answers.append((numbers[row], numbers[nearest[speaking[best]]], likely[best]))
        rarity.add(words[row])
    columns = np.array(answers, dtype=np.float64).reshape(-1, 3).T
    return Answers(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2])


def measured_threshold(
    answers: Answers, links: Iterable[tuple[int, int]], target: float = DEFAULT_TARGET
) -> MeasuredThreshold | None:
    """The lowest probability that keeps the target; None: no probability does.

    :param links: pairs of a copy and its original.
    """
    links = list(links)
    settled, right = judged(answers, links)
    evidence = Evidence.of(answers.probabilities[settled], right[settled])
    promise = evidence.promise(target)
    if promise is None:
        return None
    cut = max(promise.cut, _majority_from(answers.probabilities, settled))
    named = settled & (answers.probabilities >= cut)
    size, hits = int(named.sum()), int((right & named).sum())
    bound = lower_bound(hits, size)
    if bound < target:
        return None
    n_copies = len({copy for copy, _ in links})
    return MeasuredThreshold(float(cut), hits / size, bound, hits / n_copies)


def judged(
    answers: Answers, links: Iterable[tuple[int, int]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which answers people settled, and which are right. *Shape of both:* (n_answers,)"""
    links = list(links)
    group, copies = linked_groups(links), {copy for copy, _ in links}
    pairs = list(zip(answers.numbers.tolist(), answers.originals.tolist(), strict=True))
    settled = np.array([number in copies for number, _ in pairs], dtype=bool)
    right = np.array(
        [number in group and group[number] == group.get(original) for number, original in pairs],
        dtype=bool,
    )
    return settled | right, right


def linked_groups(links: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    """The lowest number of all that an issue is linked with, by way of others too."""
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        while parent.setdefault(number, number) != number:
            number = parent[number]
        return number

    for left, right in links:
        low, high = sorted((root(left), root(right)))
        parent[high] = low
    return {number: root(number) for number in list(parent)}


def _majority_from(probabilities: NDArray[np.float64], settled: NDArray[np.bool_]) -> float:
    """The lowest probability from which on most answers are settled; infinity: there is none."""
    order = np.argsort(-probabilities, kind="stable")
    is_majority = 2 * np.cumsum(settled[order]) >= np.arange(1, len(order) + 1)
    ends_tie = np.append(np.diff(probabilities[order]) != 0, True)
    (rows,) = np.nonzero(is_majority & ends_tie)
    return float(probabilities[order][rows[-1]]) if len(rows) else np.inf


def _earlier(vectors: Vectors) -> Iterator[tuple[NDArray[np.int_], NDArray[np.float64]]]:
    """For each row the `COMPARED` nearest of the rows before it, and their cosines."""
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        cosines = block @ vectors[: start + len(block)].T
        for offset, row in enumerate(range(start, start + len(block))):
            before = cosines[offset, :row]
            n = min(COMPARED, row)
            nearest = np.argpartition(-before, n - 1)[:n] if n else np.zeros(0, dtype=int)
            yield nearest, before[nearest].astype(np.float64)
