"""Neighbours: exact or nearly so, at once after adding, and the same after a round trip."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.encoders.nearest_neighbours import NeighbourIndex, one_thread
from tagger.errors import ReleaseDamaged


def unit(n: int, width: int = 16, seed: int = 0, clusters: int = 40) -> np.ndarray:
    """Vectors in clusters, as texts are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, width))
    vectors = centres[rng.integers(clusters, size=n)] + 0.4 * rng.normal(size=(n, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_hand(vectors: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_exact_search_finds_the_nearest(n, k, seed):
    vectors, queries = unit(n, seed=seed), unit(7, seed=seed + 100)
    found = NeighbourIndex(16).add(vectors).search(queries, k)
    assert found.rows.shape == (7, min(n, k))
    similarity = queries @ vectors.T
    np.testing.assert_allclose(
        found.similarities, -np.sort(-similarity, axis=1)[:, : min(n, k)], atol=1e-5
    )
    np.testing.assert_allclose(
        np.take_along_axis(similarity, found.rows, axis=1), found.similarities, atol=1e-5
    )


def test_no_vectors_and_no_queries_give_no_neighbours():
    assert NeighbourIndex(16).search(unit(3), 5).rows.shape == (3, 0)
    assert NeighbourIndex(16).add(unit(9)).search(unit(0), 5).rows.shape == (0, 5)


@pytest.mark.parametrize("exact_limit", [10, 1000])
def test_an_added_vector_is_found_at_once(exact_limit):
    index = NeighbourIndex(16, exact_limit=exact_limit).add(unit(300))
    fresh = unit(1, seed=77)
    index.add(fresh)
    assert len(index) == 301
    found = index.search(fresh, 3)
    assert found.rows[0, 0] == 300
    assert found.similarities[0, 0] == pytest.approx(1, abs=1e-3)


def test_growing_past_the_limit_keeps_rows_and_recall():
    vectors, queries = np.split(unit(3200), [3000])
    index = NeighbourIndex(16, exact_limit=2000)
    for start in range(0, 3000, 500):
        index.add(vectors[start : start + 500])
    assert not index.exact
    found = index.search(queries, 15)
    true = by_hand(vectors, queries, 15)
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(true, found.rows, strict=True)])
    assert recall >= 0.97


def n_lists(index: NeighbourIndex) -> int:
    return faiss.extract_index_ivf(index._index).nlist


def test_many_more_vectors_at_once_get_lists_of_their_own():
    """Else each list would grow tenfold, and with it the time of a query."""
    vectors = unit(4000)
    index = NeighbourIndex(16, exact_limit=100).add(vectors[:200])
    few = n_lists(index)
    index.add(vectors[200:210])
    assert n_lists(index) == few
    index.add(vectors[210:])
    assert n_lists(index) == int(2 * np.sqrt(4000))
    found = index.search(vectors[[0, 205, 3999]], 1)
    assert found.rows[:, 0].tolist() == [0, 205, 3999]


def test_the_same_vectors_give_the_same_index(tmp_path):
    for name in ("one", "other"):
        NeighbourIndex(16, exact_limit=500).add(unit(900)).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("exact_limit", [50, 1000])
def test_a_round_trip_changes_nothing(tmp_path, exact_limit):
    index = NeighbourIndex(16, exact_limit=exact_limit).add(unit(400))
    index.save(tmp_path / "index.faiss")
    loaded = NeighbourIndex.load(tmp_path / "index.faiss")
    before, after = index.search(unit(20, seed=3), 15), loaded.search(unit(20, seed=3), 15)
    np.testing.assert_array_equal(before.rows, after.rows)
    np.testing.assert_array_equal(before.similarities, after.similarities)
    assert (loaded.width, len(loaded), loaded.exact) == (16, 400, index.exact)


@pytest.mark.parametrize("content", [None, b"", b"not an index"])
def test_a_missing_or_broken_file_is_a_damaged_release(tmp_path, content):
    if content is not None:
        (tmp_path / "index.faiss").write_bytes(content)
    with pytest.raises(ReleaseDamaged, match=r"index\.faiss"):
        NeighbourIndex.load(tmp_path / "index.faiss")


def test_vectors_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"expected \(n, 16\)"):
        NeighbourIndex(16).add(unit(3, width=8))


def test_torch_keeps_its_threads():
    import torch

    before = torch.get_num_threads()
    with one_thread():
        pass
    assert torch.get_num_threads() == before
