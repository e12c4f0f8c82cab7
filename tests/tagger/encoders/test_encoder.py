"""The cached encoder: every distinct text is encoded once, under the encoder that made it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagger.encoders.encoder import CachedEncoder, MemoryVectors, RecentVectors, content_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagger.encoders.encoder import Vectors


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


class CountingVectors(MemoryVectors):
    """Says how many vectors it was asked for, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def get(self, encoder: str, keys: Sequence[str]) -> Mapping[str, Vectors]:
        self.asked.append(len(keys))
        return super().get(encoder, keys)


texts = st.lists(st.sampled_from(["a", "bb", "ccc", "", "dd", "\ud800"]), max_size=12)


@given(st.lists(texts, max_size=5), st.integers(0, 5))
def test_each_text_is_encoded_once_and_answers_are_those_of_the_encoder(calls, recent):
    plain, counting = CountingEncoder(), CountingEncoder()
    cached = CachedEncoder(counting, MemoryVectors(), recent=recent)
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


def test_whoever_asks_for_the_same_in_a_row_asks_the_store_once():
    store = CountingVectors()
    cached = CachedEncoder(CountingEncoder(), store)
    for _ in range(4):
        cached.encode(["abc", "de", "abc"])
    assert store.asked == [2]
    cached.encode(["new", "abc"])
    assert store.asked == [2, 1]


def test_the_texts_used_longest_ago_are_asked_for_again():
    store, counting = CountingVectors(), CountingEncoder()
    cached = CachedEncoder(counting, store, recent=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        cached.encode([text])
    assert len(store.asked) == 4  # a, b, c, and b once more
    assert counting.asked == ["a", "b", "c"]


def test_a_long_call_leaves_its_end_and_no_more():
    recent = RecentVectors(3)
    vectors = {str(n): np.full(2, n, dtype=np.float32) for n in range(100)}
    recent.keep(vectors)
    assert set(recent.get(vectors)) == {"97", "98", "99"}


def test_what_is_done_to_an_answer_is_not_done_to_the_next_one():
    cached = CachedEncoder(CountingEncoder(), MemoryVectors())
    cached.encode(["abc"])[:] = 0
    assert cached.encode(["abc"])[0, 0] == 3


def test_many_threads_get_what_they_asked_for_and_the_bound_holds():
    plain = CountingEncoder()
    cached = CachedEncoder(CountingEncoder(), MemoryVectors(), recent=16)

    def ask(start: int) -> bool:
        wanted = ["x" * ((start + step) % 40) for step in range(12)]
        return bool((cached.encode(wanted) == plain.encode(wanted)).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(2000)))
    assert len(cached._recent) == 16


def test_keys_tell_texts_apart():
    assert (
        len({content_key(text) for text in ("", " ", "a", "A", "\ud800", "\xe9", "e\u0301")}) == 7
    )
