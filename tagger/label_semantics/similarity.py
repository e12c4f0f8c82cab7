"""Similarity of issues to label wordings without a single example: vectors, words, self-training.

Each part is standardised by the label's mean and spread over a corpus of unlabelled texts, since
"bug" is near to every issue and "streaming" to none: only what is unusual for the label counts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from tagger.text.stop_words import stop_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

CONTRAST = 0.4
"""Share of the labels' mean vector taken off each label: what all labels say tells none apart."""

SELF_TRAINING_TEXTS = 200
"""Fewer unlabelled texts than this teach the heads more noise than they bring."""

RIDGE = 10.0
"""Penalty of the self-trained heads on unit vectors."""

CONFIDENT = 1.5
"""Standard deviations above the usual at which a similarity counts as half a positive."""

MIN_SPREAD = 1e-3
"""Where a label's values hardly differ, rounding must not be blown up into evidence."""

TERM_CAP = 3.0
"""Standard deviations of overlap that count at most: one word repeated is no proof."""

LENGTH_POWER = 0.25
"""How strongly long texts are discounted: they hold more words of everything."""

SHORTEST = 10
"""Terms up to which texts count as equally short."""

_TOKEN = re.compile(r"[^\W\d_][\w'-]+")


@dataclass(frozen=True)
class Scale:
    """A label's usual value and spread over a corpus. *Shape of both:* (n_labels,)"""

    mean: Matrix
    spread: Matrix

    @classmethod
    def of(cls, raw: Matrix) -> Scale:
        """Measure over *raw* (n_texts, n_labels)."""
        spread = np.maximum(raw.std(axis=0), MIN_SPREAD)
        return cls(raw.mean(axis=0).astype(np.float32), spread.astype(np.float32))

    def __call__(self, raw: Matrix) -> Matrix:
        return np.asarray((raw - self.mean) / self.spread, dtype=np.float32)


@dataclass(frozen=True)
class Lexicon:
    """The words and word pairs of the wordings, weighed for each label by how rare they are.

    :ivar terms: words and pairs that occur in a wording.
    :ivar weights: *Shape:* (n_terms, n_labels), columns of unit length times inverse frequency.
    """

    terms: tuple[str, ...]
    weights: Matrix

    @classmethod
    def of(cls, wordings_of: Sequence[Sequence[str]], corpus: Sequence[str]) -> Lexicon:
        """:param said: each label's wordings. :param corpus: texts that say which words are rare.

        Inverse document frequency after Spärck Jones (1972), as scikit-learn smooths it.
        """
        by_label = [
            Counter(term for verbalizer in verbalizers for term in terms_of(verbalizer))
            for verbalizers in wordings_of
        ]
        terms = tuple(sorted(set().union(*by_label)))
        frequency = Counter(term for text in corpus for term in set(terms_of(text)))
        frequencies = np.array([frequency[term] for term in terms]).reshape(-1, 1)
        rarity = np.log((1 + len(corpus)) / (1 + frequencies)) + 1
        counts = np.array([[label[term] for label in by_label] for term in terms])
        weights = counts.reshape(len(terms), len(wordings_of)) * rarity
        length = np.maximum(np.linalg.norm(weights, axis=0), MIN_SPREAD)
        return cls(terms, (weights / length * rarity).astype(np.float32))

    def overlap(self, texts: Sequence[str]) -> Matrix:
        """How much of each label's wordings the texts use. *Shape:* (n_texts, n_labels)"""
        column = {term: index for index, term in enumerate(self.terms)}
        overlap = np.zeros((len(texts), self.weights.shape[1]), dtype=np.float32)
        for row, text in enumerate(texts):
            terms = terms_of(text)
            counts = Counter(column[term] for term in terms if term in column)
            damped = np.log1p(np.fromiter(counts.values(), dtype=np.float32))
            overlaps = damped @ self.weights[list(counts)]
            overlap[row] = overlaps / max(len(terms), SHORTEST) ** LENGTH_POWER
        return overlap


@dataclass(frozen=True)
class LabelSimilarity:
    """Raw similarity to each label, learned from wordings and a corpus of unlabelled texts.

    :ivar anchors: *Shape:* (n_labels, width), each label's wordings as one unit vector.
    :ivar vector_scale: usual inner products with the anchors.
    :ivar lexicon: the wordings' terms.
    :ivar term_scale: usual overlaps with the lexicon.
    :ivar heads: *Shape:* (width + 1, n_labels), self-trained; the last row is the intercept.
        All zero where the corpus was too small to train on.
    """

    anchors: Matrix
    vector_scale: Scale
    lexicon: Lexicon
    term_scale: Scale
    heads: Matrix

    @classmethod
    def learn(
        cls,
        verbalizers: Sequence[Sequence[str]],
        wording_vectors: Sequence[Matrix],
        corpus: Sequence[str],
        corpus_vectors: Matrix,
    ) -> LabelSimilarity:
        """Anchors and lexicon from the wordings, scales from the corpus, heads by self-training.

        Source: Gera et al., "Zero-Shot Text Classification with Self-Training" (EMNLP 2022,
        https://arxiv.org/abs/2210.17541): confident calls on unlabelled texts become targets.

        :param said: each label's wordings.
        :param wording_vectors: for each label *Shape:* (n_wordings, width).
        :param corpus_vectors: *Shape:* (n_texts, width), of `corpus` in its order.
        """
        anchors = contrasted(wording_vectors)
        lexicon = Lexicon.of(verbalizers, corpus)
        vector_scale = Scale.of(corpus_vectors @ anchors.T)
        term_scale = Scale.of(lexicon.overlap(corpus))
        none = np.zeros((corpus_vectors.shape[1] + 1, len(anchors)), dtype=np.float32)
        first = cls(anchors, vector_scale, lexicon, term_scale, none)
        if len(corpus) < SELF_TRAINING_TEXTS:
            return first
        heads = self_trained(corpus_vectors, first.raw(corpus, corpus_vectors))
        return cls(anchors, vector_scale, lexicon, term_scale, heads)

    def raw(self, texts: Sequence[str], vectors: Matrix) -> Matrix:
        """In standard deviations, roughly. *Shape:* (n_texts, n_labels)"""
        by_vector = self.vector_scale(vectors @ self.anchors.T)
        by_words = np.clip(self.term_scale(self.lexicon.overlap(texts)), -TERM_CAP, TERM_CAP)
        learned = vectors @ self.heads[:-1] + self.heads[-1]
        return np.asarray((by_vector + by_words) / np.sqrt(2) + learned, dtype=np.float32)


def contrasted(wording_vectors: Sequence[Matrix]) -> Matrix:
    """One unit vector a label, less a part of what all labels share. *Shape:* (n_labels, width)"""
    means = _unit(np.stack([vectors.mean(axis=0) for vectors in wording_vectors]))
    return _unit(means - CONTRAST * means.mean(axis=0) * (len(means) > 1))


def self_trained(vectors: Matrix, raw: Matrix) -> Matrix:
    """Ridge heads from vectors to the similarity' own soft calls, their outputs standardised.

    :returns: *Shape:* (width + 1, n_labels)
    """
    mean = vectors.mean(axis=0)
    centred = (vectors - mean).astype(np.float64)
    calls = expit(2 * (Scale.of(raw)(raw) - CONFIDENT))
    gram = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (calls - calls.mean(axis=0)))
    weights /= np.maximum((centred @ weights).std(axis=0), MIN_SPREAD)
    return np.vstack([weights, -mean @ weights]).astype(np.float32)


def terms_of(text: str) -> list[str]:
    """Words without stop words and plural s, and pairs of neighbours among them."""
    empty = stop_words()
    words = [_singular(word) for word in _TOKEN.findall(text.lower()) if word not in empty]
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def _unit(vectors: Matrix) -> Matrix:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, MIN_SPREAD), dtype=np.float32)
