"""Linear: ridge heads on words and encoder vectors, each issue's own score left out for free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.special import expit

from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.statistics.ridge import DENSE_LIMIT, dense, iterative
from tagger.statistics.stratification import stratified_folds
from tagger.statistics.variant_selection import learnable, require_examples, smoothed_share
from tagger.text.term_counts import WORD, TermCounter, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores

MAX_TERMS = 50_000
CORPUS = 4000
"""Texts, labelled or not, that say which words are rare and where the vectors' centre lies."""

PENALTIES = (0.3, 1.0, 3.0)
"""Tried on left-out scores. Words and vectors both have unit length, so 1 is the usual."""

STEEPNESS = 6.0
"""Of the logistic curve that turns a ridge output (0 absent, 1 present) into (0, 1)."""


class LinearHeads:
    """One ridge regression a label on [TF-IDF of words and word pairs, centred encoder vector].

    Which words are rare and where the vectors' centre lies is learned from all texts, labelled or
    not. One decomposition serves all labels, and gives the exact leave-one-out scores with it
    (Rifkin and Lippert 2007, "Notes on Regularized Least Squares", section 3).

    :ivar out_of_fold_: scores of the training issues, each without itself.
        *Shape:* (n_issues, n_labels)
    """

    name: ClassVar[str] = "linear"
    needs_examples: ClassVar[bool] = True

    out_of_fold_: Scores
    _counter: tuple[list[str], TermCounter] | None = None

    def __init__(self, resources: Resources, *, seed: int = 0) -> None:
        self.resources = resources
        self.seed = seed

    def fit(self, train: TrainingSet) -> Self:
        """Learn words, centre and heads; see `Strategy.fit`."""
        require_examples(train)
        corpus = [issue.full for issue in train.corpus[:CORPUS]]
        self._terms, self._idf = _vocabulary(corpus)
        encoder = self.resources.encoder()
        self._centre = np.zeros(encoder.width, dtype=np.float32)
        vectors = encoder.encode([issue.full for issue in train.issues])
        self._centre = _centre(encoder.encode(corpus[: max(256, len(train))]))
        words = self._words(train.issues)
        centred = _unit(vectors - self._centre)
        self._share = smoothed_share(train.targets)
        self._idle = ~learnable(train.targets)
        self._solve(words, centred, np.asarray(train.targets, dtype=np.float64))
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`."""
        if not issues:
            return np.zeros((0, len(self._share)), dtype=np.float32)
        vectors = self.resources.encoder().encode([issue.full for issue in issues])
        centred = _unit(vectors - self._centre)
        raw = self._words(issues) @ self._word_heads + centred @ self._vector_heads
        return self._squash(raw + self._base)

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        save_json(folder / "terms.json", {"terms": self._terms})
        arrays = {
            "idf": self._idf,
            "centre": self._centre,
            "word_heads": self._word_heads,
            "vector_heads": self._vector_heads,
            "base": self._base,
            "share": self._share,
            "idle": self._idle,
            "out_of_fold": self.out_of_fold_,
        }
        save_arrays(folder / "heads.safetensors", arrays)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        names = ("idf", "centre", "word_heads", "vector_heads", "base", "share", "idle")
        arrays = load_arrays(folder / "heads.safetensors", *names, "out_of_fold")
        self._terms = [str(term) for term in load_json(folder / "terms.json").get("terms", [])]
        self._idf, self._centre = arrays["idf"], arrays["centre"]
        self._word_heads, self._vector_heads = arrays["word_heads"], arrays["vector_heads"]
        self._base, self._share = arrays["base"], arrays["share"]
        self._idle = arrays["idle"].astype(bool)
        self.out_of_fold_ = arrays["out_of_fold"]
        return self

    def _solve(self, words: Any, centred: NDArray[np.float32], targets: NDArray[Any]) -> None:
        self._base = targets.mean(axis=0)
        if len(targets) <= DENSE_LIMIT:
            gram = np.asarray((words @ words.T).toarray() + centred @ centred.T, dtype=np.float64)
            duals, left_out = dense(gram, targets, PENALTIES)
        else:
            folds = stratified_folds(targets.astype(bool), 5, self.seed)
            duals, left_out = iterative(words, centred, targets, folds)
        self._word_heads = np.asarray(words.T @ duals, dtype=np.float32)
        self._vector_heads = np.asarray(centred.T @ duals, dtype=np.float32)
        self.out_of_fold_ = self._squash(left_out)

    def _squash(self, raw: NDArray[Any]) -> Scores:
        scores = expit(STEEPNESS * (np.clip(raw, -1, 2) - 0.5))
        scores[:, self._idle] = self._share[self._idle]
        return np.asarray(scores, dtype=np.float32)

    def _words(self, issues: Sequence[IssueText]) -> Any:
        """TF-IDF rows of unit length. *Shape:* (n_issues, n_terms), sparse."""
        if self._counter is None or self._counter[0] is not self._terms:
            self._counter = (self._terms, TermCounter(self._terms, pairs=True))
        counts = self._counter[1].count([issue.full for issue in issues], np.float32)
        counts.data = 1 + np.log(counts.data)
        return unit_rows(counts.multiply(self._idf).tocsr())


def _vectorizer(**settings: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=WORD, ngram_range=(1, 2), **settings)


def _vocabulary(corpus: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Words and pairs that two texts share and not every second has, with how rare each is."""
    often = max(2.0, 0.5 * len(corpus))
    vectorizer = _vectorizer(max_features=MAX_TERMS, binary=True, dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(corpus)
    except ValueError:  # not a single word in the whole corpus
        return [], np.zeros(0, dtype=np.float32)
    with_term = np.asarray(matrix.sum(axis=0)).ravel()
    in_vocabulary = (with_term <= often) & ((with_term >= 2) | (len(corpus) < 50))
    terms = np.asarray(vectorizer.get_feature_names_out())[in_vocabulary]
    idf = 1 + np.log((1 + len(corpus)) / (1 + with_term[in_vocabulary]))
    return [str(term) for term in terms], idf.astype(np.float32)


def _centre(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean vector, drawn to the origin where few texts say where it is."""
    return np.asarray(vectors.sum(axis=0) / (len(vectors) + 8), dtype=np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype=np.float32)
