"""Advice on issues, and the duplicates that people named in comments.

- `put(repository_id, number, document, now)`, `find(repository_id, number) -> StoredAdvice | None`
- `link(repository_id, number, originals, now)`, `links(repository_id) -> tuple[DuplicateLink, …]`

Both hang on the issue and go with it; of other issues they hold nothing but numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from store.engine.upsert import insert_into
from store.records import DuplicateLink, StoredAdvice
from store.tables import AdviceRow, DuplicateLinkRow, IssueRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session


class AdviceGateway:
    """The gateway to advice within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(
        self, repository_id: int, number: int, document: Mapping[str, Any], now: datetime
    ) -> None:
        """Keep what is said of an issue, in place of what was said before; not of a gone one."""
        issue_id = self._issue_id(repository_id, number)
        if issue_id is None:
            return
        values = {"issue_id": issue_id, "at": now, "document": dict(document)}
        statement = insert_into(self._session, AdviceRow).on_conflict_do_update(
            index_elements=["issue_id"], set_={"at": now, "document": dict(document)}
        )
        self._session.execute(statement, [values])

    def find(self, repository_id: int, number: int) -> StoredAdvice | None:
        """What was last said of an issue; None: nothing was."""
        query = (
            select(AdviceRow)
            .join(IssueRow, IssueRow.id == AdviceRow.issue_id)
            .where(IssueRow.repository_id == repository_id, IssueRow.number == number)
        )
        row = self._session.scalars(query).one_or_none()
        return None if row is None else StoredAdvice(number, row.at, row.document)

    def link(
        self, repository_id: int, number: int, originals: Iterable[int], now: datetime
    ) -> None:
        """Keep that people called an issue a duplicate of others."""
        issue_id = self._issue_id(repository_id, number)
        rows = [
            {"issue_id": issue_id, "original": original, "at": now}
            for original in dict.fromkeys(originals)
            if issue_id is not None and original != number
        ]
        if rows:
            statement = insert_into(self._session, DuplicateLinkRow).on_conflict_do_nothing()
            self._session.execute(statement, rows)

    def links(self, repository_id: int) -> tuple[DuplicateLink, ...]:
        """All that people named in comments, by rising number."""
        query = (
            select(IssueRow.number, DuplicateLinkRow.original)
            .join(IssueRow, IssueRow.id == DuplicateLinkRow.issue_id)
            .where(IssueRow.repository_id == repository_id)
            .order_by(IssueRow.number, DuplicateLinkRow.original)
        )
        return tuple(DuplicateLink(*row) for row in self._session.execute(query))

    def _issue_id(self, repository_id: int, number: int) -> int | None:
        query = select(IssueRow.id).where(
            IssueRow.repository_id == repository_id, IssueRow.number == number
        )
        return self._session.scalar(query)
