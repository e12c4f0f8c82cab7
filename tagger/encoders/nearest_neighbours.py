"""The FAISS index over unit vectors: exact while that is fast, inverted lists beyond."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import faiss
import numpy as np

from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.encoders.encoder import Vectors

EXACT_LIMIT = 50_000
"""Vectors up to which every one is compared: 7 ms a query at 60,000 of 384 numbers on one core."""

RECALL = 0.98
"""Share of the true nearest 15 that the inverted lists have to find for texts not seen before."""

RECALL_AT = 15
SAMPLE = 256
"""Vectors on which recall is measured."""

CANDIDATES = (32, 128)
"""For each neighbour asked for, so many of the nearest by their codes are compared by vector."""


@dataclass(frozen=True)
class NearestRows:
    """What is nearest to each query, nearest first.

    :ivar similarities: inner products in [-1, 1]; -inf where fewer were found.
        *Shape:* (n_queries, n_found), n_found being at most the index's size.
    :ivar rows: positions in the order of adding; -1 where fewer were found. Same shape.
    """

    similarities: NDArray[np.float32]
    rows: NDArray[np.int64]


class NeighbourIndex:
    """Vectors by likeness. A vector added is found by the next search.

    Beyond `exact_limit` the vectors move into inverted lists (Sivic and Zisserman 2003) of 4-bit
    codes that one instruction compares by the dozen (André et al. 2015,
    https://github.com/facebookresearch/faiss/wiki/Fast-accumulation-of-PQ-and-AQ-codes-(FastScan)),
    of which as many are visited as it takes to reach `recall`. Chosen over HNSW, which is as quick
    to ask and takes far longer to build; the same vectors always give the same index.

    All FAISS work runs on one thread: OpenMP's threads are shared with torch's, and two pools
    that spin on two cores are slower than one.
    """

    def __init__(
        self, width: int, *, exact_limit: int = EXACT_LIMIT, recall: float = RECALL
    ) -> None:
        self.width = width
        self._exact_limit = exact_limit
        self._recall = recall
        self._index: Any = faiss.IndexFlatIP(width)
        self._lock = Lock()  # FAISS does not search while it adds

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        return isinstance(self._index, faiss.IndexFlat)

    def add(self, vectors: Vectors) -> Self:
        """Append vectors; their rows continue the count.

        :param vectors: *Shape:* (n, width), unit length.
        """
        fresh = self._checked(vectors)
        with self._lock, one_thread():
            if self._outgrown(len(fresh)):
                vectors_before = self._index.reconstruct_n(0, len(self))
                self._index = inverted_lists(np.concatenate([vectors_before, fresh]), self._recall)
            else:
                self._index.add(fresh)
        return self

    def search(self, vectors: Vectors, k: int) -> NearestRows:
        """The `k` nearest of each vector, or as many as there are.

        :param vectors: *Shape:* (n_queries, width), unit length.
        """
        queries = self._checked(vectors)
        wanted = min(k, len(self))
        if not len(queries) or wanted < 1:
            shape = (len(queries), max(wanted, 0))
            return NearestRows(np.zeros(shape, np.float32), np.zeros(shape, np.int64))
        with self._lock, one_thread():
            inner_products, rows = self._index.search(queries, wanted)
        # between unit vectors the square of the distance says the same as the inner product
        squared = self._index.metric_type == faiss.METRIC_L2
        similarities = 1 - inner_products / 2 if squared else inner_products
        similarities[rows < 0] = -np.inf
        return NearestRows(similarities, rows)

    def without(self, rows: Collection[int]) -> Self:
        """The same but for these rows; those that follow move up."""
        remaining = [row for row in range(len(self)) if row not in rows]
        other = type(self)(self.width, exact_limit=self._exact_limit, recall=self._recall)
        with self._lock, one_thread():
            vectors = self._index.reconstruct_n(0, len(self))[remaining]
        return other.add(vectors) if remaining else other

    def save(self, path: Path) -> None:
        """Write FAISS's own format."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        :raises ReleaseDamaged: the file is missing or is no index.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise ReleaseDamaged(path.parent, f"{path.name}: {error}") from error
        loaded = cls(index.d)
        loaded._index = index
        return loaded

    def _outgrown(self, fresh: int) -> bool:
        """Whether so many more vectors need other lists: some, or more of them.

        Lists that were made for half as many vectors or fewer are long by then, and slow. They are
        made anew for many vectors at once only: an issue that is labelled must not wait for it.
        """
        if self.exact:
            return len(self) + fresh > self._exact_limit
        return fresh > len(self)

    def _checked(self, vectors: Vectors) -> Vectors:
        if vectors.ndim != 2 or vectors.shape[1] != self.width:
            raise ValueError(f"vectors have shape {vectors.shape}, expected (n, {self.width})")
        return np.ascontiguousarray(vectors, dtype=np.float32)


def inverted_lists(vectors: Vectors, recall: float) -> Any:
    """An index of inverted lists that finds `recall` of the nearest 15 on a sample of its own.

    Each list holds short codes, which tell roughly what is near; the nearest by their codes are
    compared again by their vectors in half precision. The sample is compared with all vectors, so
    the recall is measured and not hoped for.
    """
    n_lists, width = max(1, int(2 * np.sqrt(len(vectors)))), vectors.shape[1]
    parts = width if width % 2 else width // 2
    index: Any = faiss.index_factory(
        width, f"IVF{n_lists},PQ{parts}x4fs,Refine(SQfp16)", faiss.METRIC_L2
    )
    lists: Any = faiss.downcast_index(faiss.extract_index_ivf(index))
    lists.cp.seed = 0
    lists.cp.min_points_per_centroid = 1  # small indexes are legal: no warning
    lists.pq.cp.min_points_per_centroid = 1
    lists.cp.max_points_per_centroid = 64
    index.train(vectors)
    index.add(vectors)
    queries = vectors[:: max(1, len(vectors) // SAMPLE)][:SAMPLE]
    true = _exactly(vectors, queries)
    aim = (1 + recall) / 2  # texts never seen fare worse than stored ones: half is left to them
    for candidates in CANDIDATES:
        for visited in _efforts(n_lists):
            index.k_factor, lists.nprobe = candidates, visited
            if _recall(index, queries, true) >= aim:
                return index
    return index


def _efforts(n_lists: int) -> Iterator[int]:
    """Lists to visit, by a third more each time, at most all."""
    visited = 1
    while visited < n_lists:
        yield visited
        visited += 1 + visited // 3
    yield n_lists


def _exactly(vectors: Vectors, queries: Vectors) -> NDArray[np.int64]:
    """Found without a copy of the vectors, which at a million would take 1.5 GB."""
    wanted = min(RECALL_AT + 1, len(vectors))
    rows: NDArray[np.int64] = faiss.knn(queries, vectors, wanted, faiss.METRIC_INNER_PRODUCT)[1]
    return rows


def _recall(index: Any, queries: Vectors, true: NDArray[np.int64]) -> float:
    """Share of the true nearest found; each query's own vector, always found, is left out."""
    _, rows = index.search(queries, true.shape[1])
    hits = sum(len(set(a[1:]) & set(b)) for a, b in zip(true, rows, strict=True))
    return hits / max(1, true[:, 1:].size)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run FAISS on one thread; torch's OpenMP setting is the same one and is put back."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
