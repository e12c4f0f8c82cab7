"""The issues of a repository by likeness: the likeliest original of one among all before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tagger.duplicates.measurement import COMPARED
from tagger.duplicates.similarity import WordRarity, pair_features
from tagger.encoders.nearest_neighbours import NeighbourIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.duplicates.similarity import IssueWords, Weights
    from tagger.encoders.encoder import Vectors

SEARCHED = 60
"""Looked up, of which those that were filed earlier and say something are compared."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The earlier issue that another may be a duplicate of.

    :ivar probability: that it is, in [0, 1], by `Weights`.
    :ivar similarity: cosine of the two vectors.
    """

    number: int
    probability: float
    similarity: float


class DuplicateIndex:
    """Every issue of a repository, open or closed, by its vector and its words.

    :param width: of the vectors.
    """

    def __init__(self, width: int, weights: Weights) -> None:
        self._weights = weights
        self._index = NeighbourIndex(width)
        self._numbers: list[int] = []
        self._words: list[IssueWords] = []
        self._rarity = WordRarity()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, numbers: Sequence[int], words: Sequence[IssueWords], vectors: Vectors) -> None:
        """Add issues, in any order.

        :param vectors: *Shape:* (n_issues, width), unit length.
        """
        if not numbers:
            return
        self._index.add(vectors)
        self._numbers += numbers
        self._words += words
        for each in words:
            self._rarity.add(each)

    def nearest(self, number: int, words: IssueWords, vector: Vectors) -> Candidate | None:
        """The likeliest original of an issue among those of a lower number; None: there is none.

        :param vector: *Shape:* (1, width), unit length.
        """
        if words.says_little:
            return None
        neighbours = self._index.search(vector, SEARCHED)
        earlier = [
            (int(row), float(cosine))
            for row, cosine in zip(neighbours.rows[0], neighbours.similarities[0], strict=True)
            if row >= 0 and self._numbers[row] < number and not self._words[row].says_little
        ][:COMPARED]
        if not earlier:
            return None
        compared = [self._words[row] for row, _ in earlier]
        cosines = np.array([cosine for _, cosine in earlier])
        features = pair_features(self._rarity, words, compared, cosines)
        probabilities = self._weights.probabilities(features)
        best = int(np.argmax(probabilities))
        row, cosine = earlier[best]
        return Candidate(self._numbers[row], float(probabilities[best]), cosine)
