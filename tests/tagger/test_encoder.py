"""The cached encoder: every distinct text is encoded once, under the encoder that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagger.encoder import CachedEncoder, MemoryVectors, content_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.encoder import Vectors


class CountingEncoder:
    """Says which texts it was asked for; a text's vector is its length and its first letter."""

    width = 2

    def __init__(self, identity: str = "counting", scale: float = 1.0) -> None:
        self.identity = identity
        self.scale = scale
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = [[len(text) * self.scale, ord((text or " ")[0])] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)


texts = st.lists(st.sampled_from(["a", "bb", "ccc", "", "dd", "\ud800"]), max_size=12)


@given(st.lists(texts, max_size=5))
def test_each_text_is_encoded_once_and_answers_are_those_of_the_encoder(calls):
    plain, counting = CountingEncoder(), CountingEncoder()
    cached = CachedEncoder(counting, MemoryVectors())
    for call in calls:
        np.testing.assert_array_equal(cached.encode(call), plain.encode(call))
    assert len(counting.asked) == len(set(counting.asked))
    assert set(counting.asked) == {text for call in calls for text in call}


def test_encoders_do_not_read_each_others_vectors():
    store = MemoryVectors()
    one = CachedEncoder(CountingEncoder("one"), store)
    other = CachedEncoder(CountingEncoder("other", scale=10), store)
    assert one.encode(["abc"])[0, 0] == 3
    assert other.encode(["abc"])[0, 0] == 30


def test_a_second_process_finds_what_the_first_has_kept():
    store, later = MemoryVectors(), CountingEncoder()
    CachedEncoder(CountingEncoder(), store).encode(["abc", "de"])
    CachedEncoder(later, store).encode(["de", "new", "abc"])
    assert later.asked == ["new"]


def test_keys_tell_texts_apart():
    assert (
        len({content_key(text) for text in ("", " ", "a", "A", "\ud800", "\xe9", "e\u0301")}) == 7
    )
