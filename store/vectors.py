"""Vectors of texts, kept under the encoder's identity and the text's digest.

- `Vectors` (`work.vectors`): `get`, `put`, `forget`, `drop`, `count` within a unit of work
- `StoredVectors` (`store.vectors`): `tagger.encoders.encoder.VectorStore`, each call a short
  transaction of its own; call it outside a unit of work

Each vector is kept as float32 in little-endian order, whatever the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, func, select

from store.engine.upsert import chunks, insert_into
from store.tables import VectorRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from store.unit_of_work import UnitOfWork

    Vector = NDArray[np.float32]
    """*Shape:* (width,)"""
    Begin = Callable[[], AbstractContextManager[UnitOfWork]]

_STORED = np.dtype("<f4")


class Vectors:
    """The gateway to vectors within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, encoder: str, keys: Sequence[str]) -> dict[str, Vector]:
        """Vectors known for these keys under this encoder's identity; unknown ones left out."""
        vectors: dict[str, Vector] = {}
        query = select(VectorRow.key, VectorRow.vector).where(VectorRow.encoder == encoder)
        for chunk in chunks(keys):
            for key, vector in self._session.execute(query.where(VectorRow.key.in_(chunk))):
                vectors[key] = np.frombuffer(vector, dtype=_STORED).astype(np.float32)
        return vectors

    def put(self, encoder: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors; a key that is there keeps its vector."""
        statement = insert_into(self._session, VectorRow).on_conflict_do_nothing()
        for chunk in chunks(vectors.items()):
            rows = [
                {
                    "encoder": encoder,
                    "key": key,
                    "vector": np.asarray(vector, dtype=_STORED).tobytes(),
                }
                for key, vector in chunk
            ]
            self._session.execute(statement, rows)

    def forget(self, encoder: str) -> int:
        """Drop every vector of an encoder that is no longer used; returns how many."""
        gone = delete(VectorRow).where(VectorRow.encoder == encoder).returning(VectorRow.key)
        return len(self._session.scalars(gone).all())

    def drop(self, keys: Sequence[str]) -> int:
        """Drop the vectors of these texts, whatever encoder made them; returns how many."""
        dropped = 0
        for chunk in chunks(keys):
            gone = delete(VectorRow).where(VectorRow.key.in_(chunk)).returning(VectorRow.key)
            dropped += len(self._session.scalars(gone).all())
        return dropped

    def count(self) -> dict[str, int]:
        """How many vectors are kept for each encoder."""
        query = select(VectorRow.encoder, func.count()).group_by(VectorRow.encoder)
        return {encoder: number for encoder, number in self._session.execute(query)}  # noqa: C416 - rows are no tuples


class StoredVectors:
    """A `tagger.encoders.encoder.VectorStore` in the database."""

    def __init__(self, begin: Begin, read: Begin) -> None:
        self._begin = begin
        self._read = read

    def get(self, encoder: str, keys: Sequence[str]) -> Mapping[str, Vector]:
        """Vectors known for these keys under this encoder's identity; unknown ones left out."""
        with self._read() as work:
            return work.vectors.get(encoder, keys)

    def put(self, encoder: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors, a chunk a transaction: other writers get their turn in between."""
        for chunk in chunks(vectors.items()):
            with self._begin() as work:
                work.vectors.put(encoder, dict(chunk))
