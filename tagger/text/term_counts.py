"""How often the terms of a known vocabulary are in texts, and rows scaled to unit length.

scikit-learn's `CountVectorizer` and `normalize` in the little that serving needs of them: a
vectorizer of 50,000 terms is checked and built anew for each text that it counts, and importing
scikit-learn takes the better part of a second. What is learned is learned with scikit-learn.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORD = r"(?u)[\u3040-\u30ff\u3400-\u9fff]|\w\w+"
"""A word of two characters or more; a Chinese or Japanese character by itself, for no space
stands between their words."""

_WORD = re.compile(WORD)


class TermCounter:
    """Counts terms as `CountVectorizer(vocabulary=terms, token_pattern=WORD)` does.

    :param terms: in the columns' order; words, and with `pairs` two words with a space between.
    """

    def __init__(self, terms: Sequence[str], *, pairs: bool = False) -> None:
        self._columns = {term: column for column, term in enumerate(terms)}
        self._pairs = pairs

    def count(self, texts: Sequence[str], kind: type[np.floating[Any]]) -> Any:
        """How often each term is in each text. *Shape:* (n_texts, n_terms), a sparse array."""
        from scipy.sparse import csr_array

        rows = [sorted(self._counted(text).items()) for text in texts]
        columns = np.fromiter((column for row in rows for column, _ in row), dtype=np.int32)
        counts = np.fromiter((count for row in rows for _, count in row), dtype=kind)
        starts = np.cumsum([0, *map(len, rows)])
        return csr_array((counts, columns, starts), shape=(len(texts), len(self._columns)))

    def _counted(self, text: str) -> Counter[int]:
        words = _WORD.findall(text.lower())
        terms: Iterable[str] = words
        if self._pairs:
            terms = chain(words, (f"{left} {right}" for left, right in pairwise(words)))
        return Counter(self._columns[term] for term in terms if term in self._columns)


def unit_rows(matrix: Any) -> Any:
    """The same sparse rows scaled to unit length; empty ones stay empty.

    :param matrix: in compressed rows, changed in place.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    squares = np.bincount(rows, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0])
    matrix.data /= np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny))[rows].astype(
        matrix.data.dtype
    )
    return matrix
