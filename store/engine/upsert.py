"""INSERT … ON CONFLICT in the words of the database at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session

    from store.tables import TableBase

T = TypeVar("T")

CHUNK = 500
"""Rows handled at once: bounds memory, and the number of bound values of one statement."""


def insert_into(session: Session, table: type[TableBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT with the `on_conflict_…` methods that both databases share."""
    return insert_for(dialect_of(session), table)


def insert_for(dialect: str, table: type[TableBase]) -> sqlite.Insert | postgresql.Insert:
    """The same for statements that are made once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def dialect_of(session: Session) -> str:
    """Which database a session speaks to."""
    return session.get_bind().dialect.name


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
