"""An issue as the words in it: present or not, counted, or weighed by how rare they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, load_json, save_arrays, save_json
from tagger.text.term_counts import WORD, TermCounter, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Weighing = Literal["presence", "counts", "tfidf"]

MAX_WORDS = 30_000


class BagOfWords:
    """The words of a repository's issues, each with its column.

    :ivar words_: in the columns' order; empty where no text had a word.
    :ivar idf_: how rare each is: 1 + ln((1 + n) / (1 + texts with it)). *Shape:* (n_words,)
    """

    words_: list[str]
    idf_: NDArray[np.float64]
    _known: tuple[list[str], TermCounter] | None = None

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn the most frequent words, at most `MAX_WORDS`."""
        vectorizer = _vectorizer(max_features=MAX_WORDS)
        analyse = vectorizer.build_analyzer()
        if not any(analyse(text) for text in texts):
            self.words_, self.idf_ = [], np.zeros(0)
            return self
        matrix = vectorizer.fit_transform(texts)
        with_word = np.asarray((matrix > 0).sum(axis=0)).ravel()
        self.words_ = [str(word) for word in vectorizer.get_feature_names_out()]
        self.idf_ = 1.0 + np.log((1.0 + len(texts)) / (1.0 + with_word))
        return self

    def count(self, texts: Sequence[str]) -> Any:
        """How often each word is in each text; at least one text. *Shape:* (n_texts, n_words)"""
        return self._counter.count(texts, np.float64)

    @property
    def _counter(self) -> TermCounter:
        if self._known is None or self._known[0] is not self.words_:
            self._known = (self.words_, TermCounter(self.words_))
        return self._known[1]

    def weigh(self, counts: Any, weighing: Weighing) -> Any:
        """Counts as they are, as presence (0 or 1), or as sublinear TF-IDF of unit length."""
        if weighing == "counts":
            return counts
        weighed = counts.copy()
        if weighing == "presence":
            weighed.data[:] = 1.0
            return weighed
        weighed.data = 1.0 + np.log(weighed.data)
        return unit_rows(weighed.multiply(self.idf_).tocsr())

    def save(self, folder: Path) -> None:
        save_json(folder / "words.json", {"words": self.words_})
        save_arrays(folder / "words.safetensors", {"idf": self.idf_})

    def restore(self, folder: Path) -> Self:
        """Read what `save` wrote.

        :raises ReleaseDamaged: a file is missing, broken, or does not fit the other.
        """
        self.words_ = list(load_json(folder / "words.json").get("words", []))
        self.idf_ = load_arrays(folder / "words.safetensors", "idf")["idf"]
        if len(self.words_) != len(self.idf_):
            raise ReleaseDamaged(folder, f"{len(self.words_)} words have {len(self.idf_)} weights")
        return self


def _vectorizer(**settings: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=WORD, **settings)
