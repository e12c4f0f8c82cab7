"""Leases: what one process at a time may do, such as training a repository.

- `take(name, holder, lease, now) -> Lease`, raises LeaseHeld and says by whom
- `renew(name, holder, lease, now) -> Lease`, raises LeaseLost
- `give_back(name, holder)`: nothing happens where it is another's by now
- `find(name) -> Lease | None`

A holder that dies leaves a lease that runs out; then the next one takes it over.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, or_, select, update

from store.engine.upsert import dialect_of, insert_for
from store.errors import LeaseHeld, LeaseLost
from store.records import Lease
from store.tables import LeaseRow

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Delete
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate


class Leases:
    """The gateway to leases within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, holder: str, lease: timedelta, now: datetime) -> Lease:
        """Be the one, for `lease` at least.

        :param holder: names one run of one process; no two are ever the same.
        :raises LeaseHeld: another one is, and its lease has not run out.
        """
        until = now + lease
        row = {"name": name, "holder": holder, "since": now, "until": until, "now": now}
        if self._session.scalars(_taking(dialect_of(self._session)), row).first() is None:
            raise LeaseHeld(self._get(name))
        return Lease(name, holder, now, until)

    def renew(self, name: str, holder: str, lease: timedelta, now: datetime) -> Lease:
        """Go on being the one.

        :raises LeaseLost: another one has taken it over.
        """
        ours = {"lease": name, "ours": holder, "new_until": now + lease}
        since = self._session.scalars(_renewing(), ours).first()
        if since is None:
            raise LeaseLost(name, holder, what="the lease on")
        return Lease(name, holder, since, now + lease)

    def give_back(self, name: str, holder: str) -> None:
        """Let the next one begin at once."""
        self._session.execute(_giving_back(), {"lease": name, "ours": holder})

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


@cache
def _taking(dialect: str) -> ReturningInsert[str]:
    """Makes the lease, or takes over one that ran out or is the holder's own already."""
    making = insert_for(dialect, LeaseRow)
    new = making.excluded
    free = or_(LeaseRow.until < bindparam("now"), LeaseRow.holder == new.holder)
    values = {"holder": new.holder, "since": new.since, "until": new.until}
    return making.on_conflict_do_update(index_elements=["name"], set_=values, where=free).returning(
        LeaseRow.name
    )


@cache
def _renewing() -> ReturningUpdate[datetime]:
    return (
        update(LeaseRow)
        .where(LeaseRow.name == bindparam("lease"), LeaseRow.holder == bindparam("ours"))
        .values(until=bindparam("new_until"))
        .returning(LeaseRow.since)
        .execution_options(synchronize_session=False)
    )


@cache
def _giving_back() -> Delete:
    leases = delete(LeaseRow).where(
        LeaseRow.name == bindparam("lease"), LeaseRow.holder == bindparam("ours")
    )
    return leases.execution_options(synchronize_session=False)
