"""Tombstones: issues that were deleted, so that no late payload, sync or import brings them back.

- `bury(repository_id, number, github_id, now, words=())`
- `has(github_id)`, `numbers_of(repository_id, records)`, `of_numbers(repository_id, numbers)`
- `unswept(repository_id)`, `repositories_unswept()`, `swept(ids)`: what is still to be looked for
  in files

A tombstone is for GitHub's id: another issue of that number may come. What says no id (an import
of a file without them) is known by its number, which GitHub does not give twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, or_, select, update

from store.tables import TombstoneRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from store.records import IssueRecord


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted issue of which files may still tell.

    :ivar words: digests of the words that the issue used, and the keys of its vectors, to find
        them by.
    """

    id: int
    number: int
    github_id: int | None
    words: frozenset[str]


class Tombstones:
    """The gateway to tombstones within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bury(
        self,
        repository_id: int,
        number: int,
        github_id: int | None,
        now: datetime,
        words: Iterable[str] = (),
    ) -> None:
        """Let an issue stay away from now on; a second time only adds to its words.

        :param words: digests and keys, kept until files were searched for them.
        """
        row = self._session.scalars(
            select(TombstoneRow).where(
                TombstoneRow.repository_id == repository_id,
                TombstoneRow.number == number,
                TombstoneRow.github_id == github_id,
            )
        ).first()
        if row is None:
            row = TombstoneRow(
                repository_id=repository_id, number=number, github_id=github_id, at=now, words=[]
            )
            self._session.add(row)
        row.words = sorted({*(row.words or ()), *words})
        self._session.flush()

    def has(self, github_id: int) -> bool:
        """Whether the issue of this id was deleted."""
        return self._session.scalars(_buried(), {"id": github_id}).one()

    def numbers_of(self, repository_id: int, records: Collection[IssueRecord]) -> frozenset[int]:
        """Numbers of those records whose issue was deleted."""
        ids = {row.github_id: row.number for row in records if row.github_id is not None}
        nameless = {row.number for row in records if row.github_id is None}
        numbers = [*nameless, *ids.values()]
        parameters = {"ids": list(ids), "repository": repository_id, "numbers": numbers}
        result = self._session.execute(_buried_among(), parameters)
        buried = set()
        for github_id, number in result:
            if github_id in ids:
                buried.add(ids[github_id])
            elif number in nameless or github_id is None:
                buried.add(number)
        return frozenset(buried & {row.number for row in records})

    def of_numbers(self, repository_id: int, numbers: Collection[int]) -> frozenset[int]:
        """Those of the numbers under which an issue was deleted."""
        query = select(TombstoneRow.number).where(
            TombstoneRow.repository_id == repository_id, TombstoneRow.number.in_(numbers)
        )
        return frozenset(self._session.scalars(query)) if numbers else frozenset()

    def unswept(self, repository_id: int) -> tuple[Tombstone, ...]:
        """Those whose words were not yet looked for outside of the issue's own rows."""
        query = select(TombstoneRow).where(
            TombstoneRow.repository_id == repository_id, TombstoneRow.words.is_not(None)
        )
        return tuple(
            Tombstone(row.id, row.number, row.github_id, frozenset(row.words or ()))
            for row in self._session.scalars(query.order_by(TombstoneRow.id))
        )

    def repositories_unswept(self) -> tuple[int, ...]:
        """Repositories with such tombstones."""
        query = select(TombstoneRow.repository_id).where(TombstoneRow.words.is_not(None))
        return tuple(self._session.scalars(query.distinct().order_by(TombstoneRow.repository_id)))

    def swept(self, ids: Collection[int]) -> None:
        """Nothing tells of these any more; their words are no longer needed."""
        self._session.execute(
            update(TombstoneRow).where(TombstoneRow.id.in_(ids)).values(words=None)
        )


@cache
def _buried() -> Select[bool]:
    return select(exists().where(TombstoneRow.github_id == bindparam("id")))


@cache
def _buried_among() -> Select[int | None, int]:
    numbers = TombstoneRow.number.in_(bindparam("numbers", expanding=True))
    return select(TombstoneRow.github_id, TombstoneRow.number).where(
        or_(
            TombstoneRow.github_id.in_(bindparam("ids", expanding=True)),
            (TombstoneRow.repository_id == bindparam("repository")) & numbers,
        )
    )
