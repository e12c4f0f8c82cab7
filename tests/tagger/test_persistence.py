"""Learned state on disk: round trips, and refusal of what is broken or not trusted."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import skops.io
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.tree import DecisionTreeClassifier

from tagger.errors import ReleaseDamaged
from tagger.persistence import (
    load_arrays,
    load_estimator,
    load_json,
    save_arrays,
    save_estimator,
    save_json,
)
from tagger.text.word_log_odds import Variant, learn

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = np.array([[1.0, 0, 2], [0, 1, 0], [3, 0, 1]])


class TestEstimators:
    def test_come_back_the_same(self, tmp_path):
        fitted = MultinomialNB().fit(COUNTS, [0, 1, 0])
        save_estimator(tmp_path / "nb.skops", fitted)
        loaded = load_estimator(tmp_path / "nb.skops")
        np.testing.assert_array_equal(loaded.predict_proba(COUNTS), fitted.predict_proba(COUNTS))

    @pytest.mark.parametrize("kind", ["multinomial", "complement"])
    def test_binary_relevance_comes_back_the_same(self, tmp_path, kind):
        from scipy.sparse import csr_matrix

        matrix = csr_matrix(COUNTS)
        fitted = learn(Variant(kind=kind), matrix, np.array([[1, 0], [0, 1], [1, 1]], dtype=bool))
        save_estimator(tmp_path / "br.skops", fitted)
        loaded = load_estimator(tmp_path / "br.skops")
        expected = MultinomialNB if kind == "multinomial" else ComplementNB
        assert [type(each) for each in loaded.classifiers_] == [expected, expected]
        np.testing.assert_array_equal(
            loaded.predict_proba(matrix).toarray(), fitted.predict_proba(matrix).toarray()
        )

    def test_that_are_equal_give_equal_files(self, tmp_path):
        for name in ("a.skops", "b.skops"):
            save_estimator(tmp_path / name, MultinomialNB().fit(COUNTS.copy(), [0, 1, 0]))
        assert (tmp_path / "a.skops").read_bytes() == (tmp_path / "b.skops").read_bytes()

    def test_of_another_class_are_refused_though_skops_trusts_them(self, tmp_path):
        file = tmp_path / "tree.skops"
        skops.io.dump(DecisionTreeClassifier().fit(COUNTS, [0, 1, 0]), file)
        with pytest.raises(ReleaseDamaged, match="DecisionTreeClassifier"):
            load_estimator(file)

    def test_that_name_a_function_are_refused(self, tmp_path):
        file = tmp_path / "nb.skops"
        save_estimator(file, MultinomialNB().fit(COUNTS, [0, 1, 0]))
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        schema = json.loads(parts["schema.json"])
        schema["content"]["content"]["alpha"] = {
            "__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1,
        }  # fmt: skip
        parts["schema.json"] = json.dumps(schema).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        with pytest.raises(ReleaseDamaged, match=r"os\.system"):
            load_estimator(file)

    @pytest.mark.parametrize("content", [None, b"", b"broken"])
    def test_missing_or_broken_are_a_damaged_release(self, tmp_path, content):
        with pytest.raises(ReleaseDamaged, match=r"nb\.skops"):
            load_estimator(written(tmp_path / "nb.skops", content))


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
