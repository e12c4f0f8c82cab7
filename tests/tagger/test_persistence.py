"""Learned state on disk: round trips, and refusal of what is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tagger.errors import ReleaseDamaged
from tagger.persistence import (
    load_arrays,
    load_json,
    save_arrays,
    save_json,
)

if TYPE_CHECKING:
    from pathlib import Path


class TestJson:
    def test_comes_back_the_same_and_in_one_spelling(self, tmp_path):
        save_json(tmp_path / "a.json", {"b": [1, "é"], "a": None})
        save_json(tmp_path / "b.json", {"a": None, "b": [1, "é"]})
        assert load_json(tmp_path / "a.json") == {"a": None, "b": [1, "é"]}
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()

    @pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"\xff"])
    def test_missing_or_broken_is_a_damaged_release(self, tmp_path, content):
        with pytest.raises(ReleaseDamaged, match=r"a\.json"):
            load_json(written(tmp_path / "a.json", content))

    def test_numbers_that_are_none_are_not_written(self, tmp_path):
        with pytest.raises(ValueError, match="JSON"):
            save_json(tmp_path / "a.json", {"score": float("nan")})


class TestArrays:
    def test_come_back_the_same(self, tmp_path):
        arrays = {"flags": np.array([True, False]), "turned": np.arange(6.0).reshape(2, 3).T}
        save_arrays(tmp_path / "a.safetensors", arrays)
        loaded = load_arrays(tmp_path / "a.safetensors", "flags", "turned")
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded[name], array)
            assert loaded[name].dtype == array.dtype

    def test_that_are_not_there_are_named(self, tmp_path):
        save_arrays(tmp_path / "a.safetensors", {"one": np.zeros(1)})
        with pytest.raises(ReleaseDamaged, match="lacks three, two"):
            load_arrays(tmp_path / "a.safetensors", "two", "one", "three")

    @pytest.mark.parametrize("content", [None, b"", b"broken"])
    def test_missing_or_broken_are_a_damaged_release(self, tmp_path, content):
        with pytest.raises(ReleaseDamaged, match=r"a\.safetensors"):
            load_arrays(written(tmp_path / "a.safetensors", content), "one")


def written(path: Path, content: bytes | None) -> Path:
    if content is not None:
        path.write_bytes(content)
    return path
