"""How like two issues are, beyond their vectors: telling words in common, titles, contradictions.

A sentence encoder finds what is about the same thing; a duplicate also *says* the same: the same
message, class or option, which are rare words. And two issues from one template, filed for two
data sets or two versions, say the same but for one rare word in each title. The features are few
and bounded, so that weights learned on some repositories hold on others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from scipy.special import expit

from tagger.text.cleaning.words import telling_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText

    Words = NDArray[np.uint32]
    """Hashes of distinct words, rising. *Shape:* (n_words,)"""
    Features = NDArray[np.float64]
    """*Shape:* (n_pairs, n_features), each in [0, 1]"""

BUCKETS = 1 << 18
"""Of the hash: two words of ten thousand meet in one with a probability of 4 %."""

MAX_WORDS = 400
"""Distinct words of an issue that are compared, from its beginning."""

FEWEST_WORDS = 8
"""Distinct telling words, below which an issue says too little to be called a copy of anything."""

TEMPLATE_LINE = 5
"""Bodies with one line word for word, from which the line is a template's."""

FEATURES = ("vectors", "words", "title words", "titles in texts", "other names")


@dataclass(frozen=True, slots=True)
class IssueWords:
    """The distinct telling words of an issue's title, and of all of it."""

    title: Words
    full: Words

    @classmethod
    def of(cls, issue: IssueText, template: Collection[str] = ()) -> IssueWords:
        """:param template: lines of bodies that are not read, see `template_lines`."""
        return cls(
            _hashed(telling_words(issue.title, "")),
            _hashed(telling_words(issue.title, issue.body, template)),
        )

    @property
    def says_little(self) -> bool:
        return len(self.full) < FEWEST_WORDS


class WordRarity:
    """How much a word tells, by the number of issues that have it; grows with each issue."""

    def __init__(self) -> None:
        self._counts = np.zeros(BUCKETS, dtype=np.int32)
        self._n_issues = 0

    def add(self, words: IssueWords) -> None:
        self._counts[words.full] += 1
        self._n_issues += 1

    def weights(self, words: Words) -> NDArray[np.float64]:
        """Inverse document frequency. *Shape:* (n_words,)"""
        rare: NDArray[np.float64] = np.log((self._n_issues + 1) / (self._counts[words] + 0.5))
        return np.maximum(rare, 0.0)

    def overlap(self, left: Words, right: Words) -> float:
        """Weight of the words that both have over that of all words of either, in [0, 1]."""
        shared = self._sum(np.intersect1d(left, right, assume_unique=True))
        either = self._sum(left) + self._sum(right) - shared
        return shared / either if either > 0 else 0.0

    def contained(self, words: Words, text: Words) -> float:
        """Weight of the words that a text has over that of all of them, in [0, 1]."""
        total = self._sum(words)
        return self._sum(np.intersect1d(words, text, assume_unique=True)) / total if total else 0.0

    def rarest_outside(self, words: Words, text: Words) -> float:
        """Weight of the rarest word that a text lacks, as a share of the highest there can be."""
        outside = np.setdiff1d(words, text, assume_unique=True)
        if not len(outside):
            return 0.0
        return float(self.weights(outside).max() / np.log(2 * (self._n_issues + 1)))

    def _sum(self, words: Words) -> float:
        return float(self.weights(words).sum())


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression over `FEATURES`: the probability that a candidate is the original.

    :ivar slopes: one for each feature.
    """

    intercept: float
    slopes: tuple[float, ...]

    def probabilities(self, features: Features) -> NDArray[np.float64]:
        """*Shape:* (n_pairs,)"""
        odds = self.intercept + features @ np.array(self.slopes)
        probabilities: NDArray[np.float64] = expit(odds)
        return probabilities


def template_lines(bodies: Iterable[str]) -> frozenset[str]:
    """Lines that several bodies have word for word: what a form or a template wrote."""
    lines = Counter(
        line for body in bodies for line in {line.strip() for line in body.split("\n")} if line
    )
    return frozenset(line for line, count in lines.items() if count >= TEMPLATE_LINE)


def pair_features(
    rarity: WordRarity,
    issue: IssueWords,
    candidates: Sequence[IssueWords],
    cosines: NDArray[np.float64],
) -> Features:
    """`FEATURES` of an issue beside each candidate.

    :param cosines: of the candidates. *Shape:* (n_candidates,)
    """
    rows = [_words_compared(rarity, issue, candidate) for candidate in candidates]
    return np.column_stack([np.clip(cosines, 0, 1), np.array(rows).reshape(len(rows), -1)])


def _words_compared(rarity: WordRarity, left: IssueWords, right: IssueWords) -> list[float]:
    return [
        rarity.overlap(left.full, right.full),
        rarity.overlap(left.title, right.title),
        min(rarity.contained(left.title, right.full), rarity.contained(right.title, left.full)),
        min(
            rarity.rarest_outside(left.title, right.full),
            rarity.rarest_outside(right.title, left.full),
        ),
    ]


def _hashed(words: Iterable[str]) -> Words:
    distinct = list(dict.fromkeys(words))[:MAX_WORDS]
    hashes = [crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS for word in distinct]
    return np.unique(np.array(hashes, dtype=np.uint32))
