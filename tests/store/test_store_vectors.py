"""Vectors keep every bit, and no text is encoded twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from store.errors import StoreReadOnly
from tagger.encoders.encoder import CachedEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from store.database import Store


class CountingEncoder:
    """An encoder that says which texts it was asked for."""

    identity = "counting"
    width = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_a_text_is_encoded_once_across_processes(store: Store):
    first = CountingEncoder()
    before = CachedEncoder(first, store.vectors).encode(["one", "three", "one"])
    second = CountingEncoder()
    after = CachedEncoder(second, store.vectors).encode(["three", "one", "four"])
    assert first.asked == ["one", "three"]
    assert second.asked == ["four"]
    np.testing.assert_array_equal(before[[1, 0]], after[:2])


floats = arrays(np.float32, st.integers(1, 8), elements=st.floats(width=32))


@given(st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), floats))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_every_bit_is_kept(any_store: Store, vectors: dict[str, NDArray[np.float32]]):
    encoder = f"encoder {sorted(vectors)!r} {len(vectors)}"
    with any_store.begin() as work:
        work.vectors.forget(encoder)
        work.vectors.put(encoder, vectors)
        found = work.vectors.get(encoder, [*vectors, "unknown key"])
    assert found.keys() == vectors.keys()
    for key, vector in vectors.items():
        assert found[key].dtype == np.float32
        assert found[key].tobytes() == vector.tobytes()


def test_encoders_do_not_mix(any_store: Store):
    one, two = np.float32([1, 2]), np.float32([3, 4])
    with any_store.begin() as work:
        work.vectors.put("first", {"key": one})
        work.vectors.put("second", {"key": two})
        assert work.vectors.get("first", ["key"])["key"].tolist() == [1, 2]
        assert work.vectors.count() == {"first": 1, "second": 1}
        assert work.vectors.forget("first") == 1
        assert work.vectors.get("first", ["key"]) == {}
        assert work.vectors.get("second", ["key"])["key"].tolist() == [3, 4]


def test_a_key_keeps_its_first_vector(any_store: Store):
    with any_store.begin() as work:
        work.vectors.put("e", {"key": np.float32([1])})
        work.vectors.put("e", {"key": np.float32([2])})
        assert work.vectors.get("e", ["key"])["key"].tolist() == [1]


def test_more_vectors_than_fit_one_statement(store: Store):
    vectors = {f"key {number}": np.float32([number]) for number in range(2500)}
    store.vectors.put("e", vectors)
    found = store.vectors.get("e", list(vectors))
    assert {key: vector[0] for key, vector in found.items()} == {
        key: vector[0] for key, vector in vectors.items()
    }


def test_vectors_got_may_be_changed_in_place(store: Store):
    store.vectors.put("e", {"key": np.float32([1, 2])})
    store.vectors.get("e", ["key"])["key"][0] = 9
    assert store.vectors.get("e", ["key"])["key"].tolist() == [1, 2]


def test_a_reader_puts_nothing(store: Store):
    with pytest.raises(StoreReadOnly), store.read() as work:
        work.vectors.put("e", {"key": np.float32([1])})
