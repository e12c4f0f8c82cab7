"""Claiming a delivery: which one can be had, and whose it is from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from store.queues.pauses import FARTHEST
from store.records import ClaimedDelivery
from store.tables import DeliveryRow

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session


class Claiming:
    """One worker's try, within one unit of work.

    What dead workers hold can be had again from here on.
    """

    def __init__(self, session: Session, worker: str, lease: timedelta, now: datetime) -> None:
        self._session, self._worker, self._lease, self._now = session, worker, lease, now
        self._take_back()

    def of(self, condition: ColumnElement[bool]) -> ClaimedDelivery | None:
        """Of those that meet the condition, the one due longest that can be had."""
        which = self._claimable(condition)
        while (row := self._session.execute(which).first()) is not None:
            claim = self._take(row[0])
            if claim is not None:
                return claim
        return None

    def _take_back(self) -> None:
        """Make pending what dead workers hold, and due what only a wrong clock put off."""
        due_at, now = DeliveryRow.due_at, self._now
        far = now + FARTHEST
        stuck = (
            select(DeliveryRow.id)
            .where(or_(*left_behind(now), (DeliveryRow.state == "pending") & (due_at > far)))
            .with_for_update(skip_locked=True)
        )
        self._session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id.in_(stuck))
            .values(
                state="pending",
                claimed_by=None,
                lease_until=None,
                due_at=case((due_at > far, now), else_=due_at),
            )
            .execution_options(synchronize_session=False)
        )

    def _claimable(self, condition: ColumnElement[bool]) -> Select[int]:
        other = aliased(DeliveryRow)
        in_the_way = exists().where(
            other.lane == DeliveryRow.lane,
            other.state.in_(("pending", "running")),
            other.id != DeliveryRow.id,
            (other.id < DeliveryRow.id) | (other.state == "running"),
        )
        query = select(DeliveryRow.id).where(
            DeliveryRow.state == "pending", DeliveryRow.due_at <= self._now, condition, ~in_the_way
        )
        oldest = query.order_by(DeliveryRow.due_at, DeliveryRow.id).limit(1)
        return oldest.with_for_update(skip_locked=True, of=DeliveryRow)

    def _take(self, row_id: int) -> ClaimedDelivery | None:
        """Mark the row as running; None: the lane's other delivery began in this very moment."""
        until = self._now + self._lease
        taking = (
            update(DeliveryRow)
            .where(DeliveryRow.id == row_id)
            .values(
                state="running",
                claimed_by=self._worker,
                lease_until=until,
                attempts=DeliveryRow.attempts + 1,
            )
            .execution_options(synchronize_session=False)
        )
        try:
            with self._session.begin_nested():
                self._session.execute(taking)
        except IntegrityError:
            return None
        row = self._session.get_one(DeliveryRow, row_id, populate_existing=True)
        return _claimed(row, self._worker, until)


def left_behind(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What a dead worker holds; a condition for each range of the index."""
    running, until = DeliveryRow.state == "running", DeliveryRow.lease_until
    return running & (until < now), running & (until > now + FARTHEST)


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
