"""Claiming a delivery: which one can be had, and whose it is from then on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from store.queues.pauses import FARTHEST
from store.records import ClaimedDelivery
from store.tables import DeliveryRow

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import BindParameter, ColumnElement, Select, Update
    from sqlalchemy.orm import Session


class Claiming:
    """One worker's try, within one unit of work.

    What dead workers hold can be had again from here on.
    """

    def __init__(self, session: Session, worker: str, lease: timedelta, now: datetime) -> None:
        self._session, self._worker, self._lease, self._now = session, worker, lease, now
        self._take_back()

    def next_of(self, repository: str) -> ClaimedDelivery | None:
        """Of this repository's (folded), the one due longest that can be had."""
        return self._first(_claimable_of_repository(), {"repository": repository})

    def this(self, guid: str) -> ClaimedDelivery | None:
        """The one of this GUID, if it can be had."""
        return self._first(_claimable_of_guid(), {"guid": guid})

    def _first(self, which: Select[int], parameters: dict[str, str]) -> ClaimedDelivery | None:
        while (
            row := self._session.execute(which, {"now": self._now, **parameters}).first()
        ) is not None:
            claim = self._take(row[0])
            if claim is not None:
                return claim
        return None

    def _take_back(self) -> None:
        """Make pending what dead workers hold, and due what only a wrong clock put off."""
        moments = {"now": self._now, "far": self._now + FARTHEST}
        self._session.execute(_taking_back(), moments)

    def _take(self, row_id: int) -> ClaimedDelivery | None:
        """Mark the row as running; None: the lane's other delivery began in this very moment."""
        until = self._now + self._lease
        taking = {"row": row_id, "worker": self._worker, "until": until}
        try:
            with self._session.begin_nested():
                self._session.execute(_taking(), taking)
        except IntegrityError:
            return None
        row = self._session.get_one(DeliveryRow, row_id, populate_existing=True)
        return _claimed(row, self._worker, until)


def left_behind() -> tuple[ColumnElement[bool], ...]:
    """What a dead worker holds; a condition for each range of the index.

    Their parameters are `now` and `far`, later than which only a wrong clock puts off.
    """
    running, until = DeliveryRow.state == "running", DeliveryRow.lease_until
    return running & (until < bindparam("now")), running & (until > bindparam("far"))


@cache
def _claimable_of_repository() -> Select[int]:
    return _claimable(DeliveryRow.repository_key == bindparam("repository"))


@cache
def _claimable_of_guid() -> Select[int]:
    return _claimable(DeliveryRow.guid == bindparam("guid"))


def _claimable(condition: ColumnElement[bool]) -> Select[int]:
    other = aliased(DeliveryRow)
    in_the_way = exists().where(
        other.lane == DeliveryRow.lane,
        other.state.in_(("pending", "running")),
        other.id != DeliveryRow.id,
        (other.id < DeliveryRow.id) | (other.state == "running"),
    )
    is_due = DeliveryRow.due_at <= bindparam("now")
    query = select(DeliveryRow.id).where(
        DeliveryRow.state == "pending", is_due, condition, ~in_the_way
    )
    oldest = query.order_by(DeliveryRow.due_at, DeliveryRow.id).limit(1)
    return oldest.with_for_update(skip_locked=True, of=DeliveryRow)


@cache
def _taking_back() -> Update:
    due_at = DeliveryRow.due_at
    now: BindParameter[datetime] = bindparam("now")
    far: BindParameter[datetime] = bindparam("far")
    put_off = (DeliveryRow.state == "pending") & (due_at > far)
    stuck = select(DeliveryRow.id).where(or_(*left_behind(), put_off))
    return (
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(stuck.with_for_update(skip_locked=True)))
        .values(
            state="pending",
            claimed_by=None,
            lease_until=None,
            due_at=case((due_at > far, now), else_=due_at),
        )
        .execution_options(synchronize_session=False)
    )


@cache
def _taking() -> Update:
    return (
        update(DeliveryRow)
        .where(DeliveryRow.id == bindparam("row"))
        .values(
            state="running",
            claimed_by=bindparam("worker"),
            lease_until=bindparam("until"),
            attempts=DeliveryRow.attempts + 1,
        )
        .execution_options(synchronize_session=False)
    )


def _claimed(row: DeliveryRow, worker: str, lease_until: datetime) -> ClaimedDelivery:
    return ClaimedDelivery(
        id=row.id,
        guid=row.guid,
        event=row.event,
        action=row.action,
        repository=row.repository,
        issue_number=row.issue_number,
        payload=row.payload or {},
        attempts=row.attempts,
        received_at=row.received_at,
        worker=worker,
        lease_until=lease_until,
    )
