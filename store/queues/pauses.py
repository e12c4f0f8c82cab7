"""Repositories that GitHub has asked to wait: nothing of theirs is taken up before.

- `hold_back(repository, until, now)`, `until(repository, now) -> datetime | None`
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from store.engine.text import name_key
from store.engine.upsert import insert_into
from store.tables import PauseRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import BindParameter, ColumnElement
    from sqlalchemy.orm import Session

FARTHEST = timedelta(days=2)
"""Ahead of now: a pause or delay lasts a day at most, a lease a minute or so. What is further ahead
was written by a clock that was wrong and has been set back, and counts as over."""


class Pauses:
    """The gateway to pauses within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold_back(self, repository: str, until: datetime, now: datetime) -> None:
        """Take up nothing of this repository before `until`; what is over is forgotten."""
        self._session.execute(delete(PauseRow).where(PauseRow.until <= now))
        row = {"repository_key": name_key(repository), "until": until}
        statement = insert_into(self._session, PauseRow)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["repository_key"], set_={"until": statement.excluded.until}
            ),
            [row],
        )

    def until(self, repository: str, now: datetime) -> datetime | None:
        """When the repository's pause ends; None: there is none."""
        query = select(PauseRow.until).where(
            PauseRow.repository_key == name_key(repository), holding(now, now + FARTHEST)
        )
        return self._session.scalars(query).one_or_none()


def holding(
    now: datetime | BindParameter[datetime], far: datetime | BindParameter[datetime]
) -> ColumnElement[bool]:
    """Whether a pause still holds."""
    return (PauseRow.until > now) & (PauseRow.until <= far)
