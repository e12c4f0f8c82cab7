"""Leases: what one process at a time may do, such as training a repository.

- `take(name, holder, lease, now) -> Lease`, raises LeaseHeld and says by whom
- `renew(name, holder, lease, now) -> Lease`, raises LeaseLost
- `give_back(name, holder)`: nothing happens where it is another's by now
- `find(name) -> Lease | None`

A holder that dies leaves a lease that runs out; then the next one takes it over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from store.engine.upsert import insert_into
from store.errors import LeaseHeld, LeaseLost
from store.records import Lease
from store.tables import LeaseRow

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.orm import Session


class Leases:
    """The gateway to leases within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, holder: str, lease: timedelta, now: datetime) -> Lease:
        """Be the one, for `lease` at least.

        :param holder: names one run of one process; no two are ever the same.
        :raises LeaseHeld: another one is, and its lease has not run out.
        """
        row = {"name": name, "holder": holder, "since": now, "until": now + lease}
        making = insert_into(self._session, LeaseRow).on_conflict_do_nothing()
        self._session.execute(making, [row])
        taken = self._session.scalars(
            update(LeaseRow)
            .where(LeaseRow.name == name)
            .where(or_(LeaseRow.until < now, LeaseRow.holder == holder))
            .values(holder=holder, since=now, until=now + lease)
            .returning(LeaseRow.name)
            .execution_options(synchronize_session=False)
        )
        if taken.first() is None:
            raise LeaseHeld(self._get(name))
        return Lease(name, holder, now, now + lease)

    def renew(self, name: str, holder: str, lease: timedelta, now: datetime) -> Lease:
        """Go on being the one.

        :raises LeaseLost: another one has taken it over.
        """
        scalar_result = self._session.scalars(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.holder == holder)
            .values(until=now + lease)
            .returning(LeaseRow.name)
            .execution_options(synchronize_session=False)
        )
        if scalar_result.first() is None:
            raise LeaseLost(name, holder, what="the lease on")
        return self._get(name)

    def give_back(self, name: str, holder: str) -> None:
        """Let the next one begin at once."""
        statement = delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder)
        self._session.execute(statement.execution_options(synchronize_session=False))

    def find(self, name: str) -> Lease | None:
        """Who is the one, or was last and died; None: nobody."""
        query = select(LeaseRow).where(LeaseRow.name == name)
        row = self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        return None if row is None else Lease(row.name, row.holder, row.since, row.until)

    def _get(self, name: str) -> Lease:
        lease = self.find(name)
        if lease is None:  # between two statements of one transaction nothing disappears
            raise LeaseLost(name, "", what="the lease on")
        return lease
