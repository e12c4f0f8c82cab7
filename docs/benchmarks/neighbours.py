"""How indexes of neighbours fare from a thousand vectors to a million.

    python docs/benchmarks/neighbours.py --sizes 1000,10000,100000,1000000 --kinds exact,ivf-fp16

prints a row a size and kind: recall of the true nearest 15, milliseconds a query, size, time to
build. Queries are vectors that the index has not seen. Everything runs on one thread; the time is
that of the thread itself, so that other work on the machine does not count.

The vectors are made up, after those that all-MiniLM-L6-v2 gives to the issues of two repositories:
points of a mixture in 24 dimensions, laid onto a curved surface in 384 by random waves (Rahimi and
Recht 2007), with a common direction and 15 % of noise. Of 4,000 such vectors, and of 4,000 issues
of matomo and 2,140 of datasets:

    mean cosine                      0.24    0.15, 0.28
    cosine of the nearest            0.65    0.63, 0.69    (median)
    cosine of the fifteenth          0.54    0.50, 0.58    (median)
    local intrinsic dimension        26      22 (matomo)   (Levina and Bickel 2004, 15 nearest)
    recall at a fifth of the lists   0.94    0.97 (matomo) (6,029 vectors, 155 lists)

so that they are a little harder to search than the real ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from tagger.encoders.nearest_neighbours import NeighbourIndex, one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

WIDTH = 384
QUERIES = 500
NEAREST = 15
CHUNK = 50_000

MEAN_LENGTH = 0.39
DIMENSIONS, TOPICS, WAVES = 24, 300, 600
TOPIC_SHARE, NOISE_SHARE = 0.6, 0.15
CURVATURE = 1.5


class World:
    """Draws vectors as issues have them; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        normal = self._rng.normal
        place = np.arange(WIDTH)
        spectrum = np.exp(-place / 150) / (place + 8)
        self._spread = np.sqrt(spectrum / spectrum.sum() * (1 - MEAN_LENGTH**2))
        direction = normal(size=WIDTH)
        self._mean = MEAN_LENGTH * direction / np.linalg.norm(direction)
        self._waves = normal(size=(DIMENSIONS, WAVES)) * CURVATURE / np.sqrt(DIMENSIONS)
        self._phases = self._rng.uniform(0, 2 * np.pi, WAVES)
        self._laid = normal(size=(WAVES, WIDTH)) * self._spread * np.sqrt(2 / WAVES)
        self._topics = normal(size=(TOPICS, DIMENSIONS)) * np.sqrt(TOPIC_SHARE)
        weights = 1 / (np.arange(TOPICS) + 5.0)
        self._weights = weights / weights.sum()

    def draw(self, n: int) -> Vectors:
        """*Shape:* (n, 384), unit length."""
        drawn = np.empty((n, WIDTH), dtype=np.float32)
        for start in range(0, n, CHUNK):
            drawn[start : start + CHUNK] = self._chunk(min(CHUNK, n - start))
        return drawn

    def _chunk(self, n: int) -> Vectors:
        topic = self._rng.choice(TOPICS, n, p=self._weights)
        inner = self._rng.normal(size=(n, DIMENSIONS)) * np.sqrt(1 - TOPIC_SHARE)
        surface = np.sin((self._topics[topic] + inner) @ self._waves + self._phases) @ self._laid
        noise = self._rng.normal(size=(n, WIDTH)) * self._spread
        found = self._mean + np.sqrt(1 - NOISE_SHARE) * surface + np.sqrt(NOISE_SHARE) * noise
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found, dtype=np.float32)


@dataclass(frozen=True)
class Row:
    """One index of one size."""

    n: int
    kind: str
    recall: float
    median_ms: float
    p95_ms: float
    mib: float
    build_seconds: float


def product(vectors: Vectors) -> Any:
    """What `knn` builds by itself."""
    return NeighbourIndex(WIDTH).add(vectors)


def exact(vectors: Vectors) -> Any:
    return _filled(faiss.IndexFlatIP(WIDTH), vectors)


def ivf(encoding: str) -> Callable[[Vectors], Any]:
    def build(vectors: Vectors) -> Any:
        n_lists = int(2 * np.sqrt(len(vectors)))
        index: Any = faiss.index_factory(
            WIDTH, f"IVF{n_lists},{encoding}", faiss.METRIC_INNER_PRODUCT
        )
        index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
        index.train(vectors)
        return _filled(index, vectors)

    return build


def hnsw(encoding: str) -> Callable[[Vectors], Any]:
    def build(vectors: Vectors) -> Any:
        index: Any = faiss.index_factory(WIDTH, f"HNSW32_{encoding}", faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 80
        index.train(vectors[:CHUNK])
        return _filled(index, vectors)

    return build


KINDS: dict[str, Callable[[Vectors], Any]] = {
    "product": product,
    "exact": exact,
    "ivf-fp16": ivf("SQfp16"),
    "ivf-sq8": ivf("SQ8"),
    "hnsw-fp32": hnsw("Flat"),
    "hnsw-sq8": hnsw("SQ8"),
}

EFFORTS = {"ivf": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512), "hnsw": (32, 64, 128, 256, 512, 1024)}
"""Lists visited, or candidates kept: the least that reaches the recall wanted is shown."""


def _filled(index: Any, vectors: Vectors) -> Any:
    for start in range(0, len(vectors), CHUNK):
        index.add(vectors[start : start + CHUNK])
    return index


def measured(
    kind: str, vectors: Vectors, queries: Vectors, true: NDArray[np.int64], wanted: float
) -> Row:
    """Build one index and ask it, at the least effort that reaches the recall wanted."""
    began = time.thread_time()
    index = KINDS[kind](vectors)
    built = time.thread_time() - began
    for effort in EFFORTS.get(kind.partition("-")[0], (None,)):
        if effort is not None:
            _try_hard(index, effort)
        recall, times = _asked(index, queries, true)
        if recall >= wanted:
            break
    return Row(
        len(vectors),
        kind if effort is None else f"{kind}, {effort}",
        round(recall, 4),
        round(1000 * float(np.median(times)), 3),
        round(1000 * float(np.quantile(times, 0.95)), 3),
        round(_bytes(index) / 2**20, 1),
        round(built, 1),
    )


def _try_hard(index: Any, effort: int) -> None:
    if hasattr(index, "nprobe"):
        index.nprobe = effort
    else:
        index.hnsw.efSearch = effort


def _asked(
    index: Any, queries: Vectors, true: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]]:
    hits, times = 0, []
    for query, nearest in zip(queries, true, strict=True):
        began = time.thread_time()
        found = index.search(query[None], NEAREST)
        times.append(time.thread_time() - began)
        rows = found.rows[0] if isinstance(index, NeighbourIndex) else found[1][0]
        hits += len(set(rows) & set(nearest))
    return hits / true.size, np.array(times)


def _bytes(index: Any) -> int:
    """Size of the index, which is what it takes in memory, too."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index"
        if isinstance(index, NeighbourIndex):
            index.save(file)
        else:
            faiss.write_index(index, str(file))
        return file.stat().st_size


def nearest(vectors: Vectors, queries: Vectors) -> NDArray[np.int64]:
    """Rows of the true nearest. *Shape:* (n_queries, 15)"""
    index = exact(vectors)
    return np.asarray(index.search(queries, NEAREST)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--recall", type=float, default=0.98)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for size in map(int, given.sizes.split(",")):
        world = World(given.seed)
        vectors, queries = world.draw(size), world.draw(QUERIES)
        with one_thread():
            true = nearest(vectors, queries)
            for kind in given.kinds.split(","):
                row = measured(kind, vectors, queries, true, given.recall)
                print(json.dumps(asdict(row)), flush=True)
                print(f"{size} {kind} done", file=sys.stderr)


if __name__ == "__main__":
    main()
