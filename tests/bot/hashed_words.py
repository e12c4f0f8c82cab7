"""An encoder without a model, for tests in which words alone decide."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class HashedWords:
    """An encoder that adds up a direction for each word; likeness is shared words."""

    identity = "hashed words"
    width = 24

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.array([self._vector(text) for text in texts], dtype=np.float32)
        return vectors.reshape(len(texts), self.width)

    def _vector(self, text: str) -> NDArray[np.float64]:
        total = sum((self._direction(word) for word in text.lower().split()), np.zeros(self.width))
        return total / max(float(np.linalg.norm(total)), 1e-9)

    def _direction(self, word: str) -> NDArray[np.float64]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        return np.random.default_rng(seed).normal(size=self.width)
