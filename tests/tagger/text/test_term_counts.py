"""Terms are counted, scaled and passed over as scikit-learn does it, which learned them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from sklearn.preprocessing import normalize

from tagger.text import stop_words as module
from tagger.text.stop_words import stop_words
from tagger.text.term_counts import WORD, TermCounter, unit_rows

WORDS = ("crash", "Crash", "a", "save file", "検索は遅い", "I/O", "don't", "Ünï", "x1", "", "save")
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=6)


@given(texts, st.booleans())
def test_counts_what_scikit_learn_counts(some: list[str], pairs: bool) -> None:
    shape = {"token_pattern": WORD, "ngram_range": (1, 2 if pairs else 1), "dtype": np.float32}
    terms = list(CountVectorizer(**shape).fit([*some, "crash save file"]).get_feature_names_out())
    terms = terms[::2]  # some are unknown
    ours = TermCounter(terms, pairs=pairs).count(some, np.float32)
    assert ours.shape == (len(some), len(terms))
    assert ours.dtype == np.float32
    if some:
        theirs = CountVectorizer(vocabulary=terms, **shape).transform(some)
        np.testing.assert_array_equal(ours.toarray(), theirs.toarray())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_are_scaled_as_scikit_learn_scales_them(kind: type[np.floating]) -> None:
    counts = TermCounter(["crash", "save", "file"]).count(["crash save save", "", "file"], kind)
    expected = normalize(counts)
    scaled = unit_rows(counts)
    assert scaled.dtype == kind
    np.testing.assert_allclose(scaled.toarray(), expected.toarray(), rtol=1e-6)


def test_no_terms_count_nothing() -> None:
    assert TermCounter([]).count(["crash"], np.float64).shape == (1, 0)


def test_stop_words_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stop_words() == ENGLISH_STOP_WORDS
    stop_words.cache_clear()
    monkeypatch.setattr(module, "FILE", "elsewhere.py")  # as if a new version moved the list
    assert stop_words() == ENGLISH_STOP_WORDS
    stop_words.cache_clear()
