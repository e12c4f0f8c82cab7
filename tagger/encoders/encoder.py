"""The sentence encoder as strategies see it: texts in, unit vectors out, none encoded twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    """*Shape:* (n_texts, width), rows of unit length."""


RECENT = 512
"""Vectors that a `CachedEncoder` keeps in memory: some 800 kB at a width of 384."""


class Encoder(Protocol):
    """Turns texts into vectors whose inner product is their likeness."""

    identity: str
    """Digest of weights and settings: vectors of one identity may be compared and kept."""
    width: int

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class VectorStore(Protocol):
    """Keeps vectors by content hash; the store package has one on SQL, tests one in memory."""

    def get(self, encoder: str, keys: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Vectors known for these keys under this encoder's identity; unknown keys are left out."""
        ...

    def put(self, encoder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None: ...


class MemoryVectors:
    """A `VectorStore` for one process and no longer."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str], NDArray[np.float32]] = {}

    def get(self, encoder: str, keys: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        generator = ((key, self._vectors.get((encoder, key))) for key in keys)
        return {key: vector for key, vector in generator if vector is not None}

    def put(self, encoder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        self._vectors.update({(encoder, key): vector for key, vector in vectors.items()})


class RecentVectors:
    """The vectors used last, by content hash; no more than `most` of them. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, keys: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Those that are here; none is changed by whoever gets them."""
        with self._lock:
            return {key: self._vectors[key] for key in keys if key in self._vectors}

    def keep(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep these as the ones used last; the ones used longest ago go."""
        latest = list(vectors)[-self._most :]
        with self._lock:
            for key in latest:
                if key not in self._vectors:  # copied: a row would keep its whole batch alive
                    self._vectors[key] = np.array(vectors[key], dtype=np.float32)
                self._vectors.move_to_end(key)
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)


class CachedEncoder:
    """An `Encoder` that asks a `VectorStore` first and encodes each distinct text once.

    Of texts that it was asked for lately it does not even ask the store: the strategies of a chain
    ask for the same issue one after the other.

    :param recent: how many vectors are kept in memory.
    """

    def __init__(self, encoder: Encoder, store: VectorStore, *, recent: int = RECENT) -> None:
        self._encoder = encoder
        self._store = store
        self._recent = RecentVectors(recent)
        self.identity = encoder.identity
        self.width = encoder.width

    def encode(self, texts: Sequence[str]) -> Vectors:
        keys = [content_key(text) for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        cached = self._recent.get(by_key)
        to_encode = [key for key in by_key if key not in cached]
        if to_encode:
            cached.update(self._store.get(self.identity, to_encode))
        missing = [key for key in to_encode if key not in cached]
        if missing:
            fresh = self._encoder.encode([by_key[key] for key in missing])
            new = dict(zip(missing, fresh, strict=True))
            self._store.put(self.identity, new)
            cached.update(new)
        if not keys:
            return np.zeros((0, self.width), dtype=np.float32)
        self._recent.keep({key: cached[key] for key in by_key})
        return np.stack([cached[key] for key in keys]).astype(np.float32, copy=False)


def content_key(text: str) -> str:
    """SHA-256 of the text: the name under which its vector is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
