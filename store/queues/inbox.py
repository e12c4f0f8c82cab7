"""The durable inbox: webhook deliveries, each accepted once and worked on by one worker at a time.

- `accept(record) -> bool`: False for a GUID that was accepted before; `has(guid)`,
  `told(repository, number, action)`, `awaits(repositories, event, since)`,
  `first_received(repository)`
- `claim(worker, lease, now, guid=None) -> ClaimedDelivery | None`; `turns` says whose turn it is
- `finish(claim, now, ignored=False)`, `fail(claim, error, now, retry_at)`, `renew(claim, lease,
  now)`, `release(claim, now, reason=None)`: all raise LeaseLost where the claim is no longer ours,
  so that whatever else the unit of work did is rolled back
- `counts()`, `oldest_due(now)`, `last_received()`, `waiting(now, limit)`, `find(guid)`,
  `given_up(repository=None)`, `retry(guid, due_at)`, `purge_payloads(before, limit)`,
  `forget(before, limit)`

A *lane* is what must stay in order: the deliveries of one issue, or those of a repository that
concern no issue; those that stand aside have a lane of their own beside it. Of a lane only the
earliest unfinished delivery can be claimed, and a unique index lets only one run. A delivery is
claimed at least once: a worker that dies leaves a lease that runs out. Repositories with something
due take turns (`store.queues.round_robin`); what GitHub has asked to wait is passed by
(`store.queues.pauses`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, or_, select, update

from store.engine.text import name_key
from store.engine.upsert import dialect_of, insert_for
from store.errors import LeaseLost, NotStored
from store.queues.claiming import Claiming, left_behind
from store.queues.pauses import FARTHEST, holding
from store.queues.round_robin import RoundRobin, account_of, with_something_due
from store.records import ClaimedDelivery, DeliveryRecord, DeliveryState, GivenUp, StoredDelivery
from store.tables import DeliveryRow, PauseRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Select
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

_GIVEN_UP = (
    DeliveryRow.guid,
    DeliveryRow.event,
    DeliveryRow.action,
    DeliveryRow.repository,
    DeliveryRow.issue_number,
    DeliveryRow.attempts,
    DeliveryRow.error,
    DeliveryRow.received_at,
    DeliveryRow.finished_at,
    DeliveryRow.payload.is_not(None).label("has_payload"),
)


class Inbox:
    """The gateway to deliveries within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def accept(self, record: DeliveryRecord) -> bool:
        """Store a delivery; False: its GUID is known and nothing was changed."""
        statement = _accepting(dialect_of(self._session))
        return self._session.execute(statement, [_new_row(record)]).first() is not None

    def has(self, guid: str) -> bool:
        """Whether a delivery of this GUID was accepted."""
        return self._session.scalars(_accepted(), {"guid": guid}).one()

    def told(
        self, repository: str, issue_number: int, action: str, *, besides: Collection[str] = ()
    ) -> bool:
        """Whether any delivery told that this happened to this issue, whatever became of it.

        :param besides: those do not count that were ignored for one of these reasons.
        """
        why = DeliveryRow.error
        query = exists().where(
            DeliveryRow.lane == _lane_of(repository, issue_number),
            DeliveryRow.event == "issues",
            DeliveryRow.action == action,
            or_(DeliveryRow.state != "ignored", why.is_(None), why.not_in(besides)),
        )
        return self._session.scalars(select(query)).one()

    def awaits(self, repositories: Iterable[str], event: str, *, since: datetime) -> bool:
        """Whether such an event came in after this moment and was not worked off yet."""
        lanes = [name_key(repository) for repository in repositories]
        parameters = {"lanes": lanes, "event": event, "since": since}
        return self._session.scalars(_awaited(), parameters).one()

    def first_received(self, repository: str) -> datetime | None:
        """When the earliest delivery about this repository came in that is still known."""
        query = select(func.min(DeliveryRow.received_at))
        return self._session.scalars(query.where(DeliveryRow.repository == repository)).one()

    def claim(
        self,
        worker: str,
        lease: timedelta,
        now: datetime,
        *,
        guid: str | None = None,
        turns: RoundRobin | None = None,
        full: Collection[str] = (),
    ) -> ClaimedDelivery | None:
        """Take a delivery that is due and that nothing of its lane precedes.

        That is the one due longest of the repository whose turn it is. Claim in a unit of work of
        its own: what is claimed is ours when that has ended.

        :param guid: claim this one or none.
        :param turns: is told who was served.
        :param full: accounts of which nothing is to be taken.
        """
        claiming = Claiming(self._session, worker, lease, now)
        if guid is not None:
            return claiming.this(guid)
        turns = turns or RoundRobin()
        for repository in turns.order(self._with_something_due(now)):
            if account_of(repository) in full:
                continue
            claim = claiming.next_of(repository)
            if claim is not None:
                turns.served(repository)
                return claim
        return None

    def finish(
        self,
        claim: ClaimedDelivery,
        now: datetime,
        *,
        ignored: bool = False,
        reason: str | None = None,
    ) -> None:
        """The work is done (or, `ignored`, there was none, for a `reason` that is kept).

        :raises LeaseLost: the claim is no longer ours.
        """
        state: DeliveryState = "ignored" if ignored else "done"
        self._end(claim, state=state, finished_at=now, error=reason)

    def fail(
        self, claim: ClaimedDelivery, error: str, now: datetime, retry_at: datetime | None
    ) -> None:
        """The work failed: it is due again at `retry_at`, or, with None, given up.

        :raises LeaseLost: the claim is no longer ours.
        """
        if retry_at is None:
            self._end(claim, state="failed", error=error, finished_at=now)
        else:
            self._end(claim, state="pending", error=error, due_at=retry_at)

    def renew(self, claim: ClaimedDelivery, lease: timedelta, now: datetime) -> ClaimedDelivery:
        """Hold on to the delivery for another `lease`.

        :raises LeaseLost: the claim is no longer ours.
        """
        self._change(claim, lease_until=now + lease)
        return replace(claim, lease_until=now + lease)

    def release(self, claim: ClaimedDelivery, due_at: datetime, reason: str | None = None) -> None:
        """Hand the delivery back, as if it had never been claimed.

        :param reason: what it waits for, where that is not its own delay.
        :raises LeaseLost: the claim is no longer ours.
        """
        self._end(claim, state="pending", due_at=due_at, attempts=claim.attempts - 1, error=reason)

    def find(self, guid: str) -> StoredDelivery | None:
        """The delivery of this GUID, or None."""
        query = select(DeliveryRow).where(DeliveryRow.guid == guid)
        row = self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        return None if row is None else _stored(row)

    def given_up(self, repository: str | None = None) -> tuple[GivenUp, ...]:
        """Deliveries that failed for good, the oldest first, of one repository or of all."""
        query = select(*_GIVEN_UP).where(DeliveryRow.state == "failed").order_by(DeliveryRow.id)
        if repository is not None:
            query = query.where(func.lower(DeliveryRow.repository) == repository.lower())
        return tuple(GivenUp(**row) for row in self._session.execute(query).mappings())

    def count_waiting(self, repository: str) -> int:
        """How many deliveries about a repository wait for a worker or are in one's hands."""
        query = select(func.count()).where(
            DeliveryRow.state.in_(("pending", "running")),
            DeliveryRow.repository_key == name_key(repository),
        )
        return self._session.scalars(query).one()

    def retry(self, guid: str, due_at: datetime) -> None:
        """Make a delivery that was given up pending again.

        :raises NotStored: there is no failed delivery of this GUID whose payload is still kept.
        """
        changed = self._session.scalars(
            update(DeliveryRow)
            .where(
                DeliveryRow.guid == guid,
                DeliveryRow.state == "failed",
                DeliveryRow.payload.is_not(None),
            )
            .values(state="pending", due_at=due_at, attempts=0, finished_at=None)
            .returning(DeliveryRow.id)
        )
        if changed.first() is None:
            raise NotStored("failed delivery", guid)

    def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries there are in each state; every state is listed."""
        query = select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
        by_state = {state: number for state, number in self._session.execute(query)}  # noqa: C416 - rows are no tuples
        states: tuple[DeliveryState, ...] = ("pending", "running", "done", "failed", "ignored")
        return {state: by_state.get(state, 0) for state in states}

    def oldest_due(self, now: datetime) -> timedelta | None:
        """How long the pending delivery that has been due longest has been waiting; None: none.

        What GitHub has asked to wait is not waiting for us.
        """
        held = select(PauseRow.repository_key).where(holding(now, now + FARTHEST))
        query = select(func.min(DeliveryRow.due_at)).where(
            DeliveryRow.state == "pending",
            DeliveryRow.due_at <= now,
            DeliveryRow.repository_key.not_in(held),
        )
        due_at = self._session.scalars(query).one()
        return None if due_at is None else now - due_at

    def last_received(self) -> datetime | None:
        """When the latest delivery came in: GitHub's silence is measured from here."""
        return self._session.scalars(select(func.max(DeliveryRow.received_at))).one()

    def waiting(self, now: datetime, limit: int = 1000) -> tuple[str, ...]:
        """GUIDs of deliveries that are due, or whose lease ran out, the same number of each.

        Within a repository in the order of due times.
        """
        left = select(DeliveryRow.guid).where(or_(*left_behind())).limit(limit)
        guids = list(self._session.scalars(left, {"now": now, "far": now + FARTHEST}))
        repositories = self._with_something_due(now)
        for place, repository in enumerate(repositories):
            if len(guids) >= limit:
                break
            share = max((limit - len(guids)) // (len(repositories) - place), 1)
            query = select(DeliveryRow.guid).where(
                DeliveryRow.state == "pending",
                DeliveryRow.repository_key == repository,
                or_(DeliveryRow.due_at <= now, DeliveryRow.due_at > now + FARTHEST),
            )
            oldest = query.order_by(DeliveryRow.due_at, DeliveryRow.id).limit(share)
            guids += self._session.scalars(oldest)
        return tuple(guids)

    def has_something_due(self, now: datetime) -> bool:
        """Whether there may be anything to claim."""
        moments = {"now": now, "far": now + FARTHEST}
        due = self._session.execute(_first_with_something_due(), moments).first()
        return due is not None or self._session.scalars(_anything_left_behind(), moments).one()

    def next_in_lane(self, guid: str, now: datetime) -> str | None:
        """The delivery that is due and that this one kept waiting, or None."""
        lane = select(DeliveryRow.lane).where(DeliveryRow.guid == guid).scalar_subquery()
        query = select(DeliveryRow.guid).where(
            DeliveryRow.lane == lane,
            DeliveryRow.guid != guid,
            DeliveryRow.state == "pending",
            DeliveryRow.due_at <= now,
        )
        return self._session.scalars(query.order_by(DeliveryRow.id).limit(1)).first()

    def purge_payloads(self, before: datetime, limit: int = 1000) -> int:
        """Forget the payloads of deliveries that ended before this moment; returns how many.

        :param limit: at most so many, so that no other writer waits for long.
        """
        ended = self._ended(before, limit).where(DeliveryRow.payload.is_not(None))
        purged = self._session.scalars(
            update(DeliveryRow)
            .where(DeliveryRow.id.in_(ended))
            .values(payload=None)
            .returning(DeliveryRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(purged.all())

    def forget(self, before: datetime, limit: int = 1000) -> int:
        """Drop deliveries that ended before this moment, at most `limit`; returns how many.

        A GUID that is forgotten would be accepted again: GitHub redelivers for three days.
        """
        gone = self._session.scalars(
            delete(DeliveryRow)
            .where(DeliveryRow.id.in_(self._ended(before, limit)))
            .returning(DeliveryRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())

    def _ended(self, before: datetime, limit: int) -> Select[int]:
        ended = DeliveryRow.state.in_(("done", "failed", "ignored"))
        query = select(DeliveryRow.id).where(ended, DeliveryRow.finished_at < before)
        return query.order_by(DeliveryRow.id).limit(limit)

    def _with_something_due(self, now: datetime) -> Sequence[str]:
        moments = {"now": now, "far": now + FARTHEST}
        return self._session.scalars(with_something_due(), moments).all()

    def _end(self, claim: ClaimedDelivery, **values: Any) -> None:
        self._change(claim, claimed_by=None, lease_until=None, **values)

    def _change(self, claim: ClaimedDelivery, **values: Any) -> None:
        ours = {
            "claim_id": claim.id,
            "claim_worker": claim.worker,
            "claim_attempts": claim.attempts,
        }
        new = {f"new_{name}": value for name, value in values.items()}
        changed = self._session.scalars(_changing(*values), ours | new)
        if changed.first() is None:
            raise LeaseLost(claim.guid, claim.worker)


@cache
def _first_with_something_due() -> Select[str]:
    return with_something_due().limit(1)


@cache
def _anything_left_behind() -> Select[bool]:
    return select(exists().where(or_(*left_behind())))


@cache
def _accepting(dialect: str) -> ReturningInsert[int]:
    statement = insert_for(dialect, DeliveryRow).on_conflict_do_nothing(index_elements=["guid"])
    return statement.returning(DeliveryRow.id)


@cache
def _accepted() -> Select[bool]:
    return select(exists().where(DeliveryRow.guid == bindparam("guid")))


@cache
def _awaited() -> Select[bool]:
    query = exists().where(
        DeliveryRow.lane.in_(bindparam("lanes", expanding=True)),
        DeliveryRow.state.in_(("pending", "running")),
        DeliveryRow.event == bindparam("event"),
        DeliveryRow.received_at > bindparam("since"),
    )
    return select(query)


@cache
def _changing(*names: str) -> ReturningUpdate[int]:
    """Changes these columns of a claim that is still ours.

    `attempts` tells this claim from a later one by a worker of the same name.
    """
    return (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == bindparam("claim_id"),
            DeliveryRow.state == "running",
            DeliveryRow.claimed_by == bindparam("claim_worker"),
            DeliveryRow.attempts == bindparam("claim_attempts"),
        )
        .values({name: bindparam(f"new_{name}") for name in names})
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )


def _lane(record: DeliveryRecord) -> str | None:
    if record.repository is None:
        return None
    lane = _lane_of(record.repository, record.issue_number)
    return f"{lane} aside" if record.aside else lane


def _lane_of(repository: str, issue_number: int | None) -> str:
    key = name_key(repository)
    return key if issue_number is None else f"{key}#{issue_number}"


def _new_row(record: DeliveryRecord) -> dict[str, Any]:
    return {
        "guid": record.guid,
        "event": record.event,
        "action": record.action,
        "repository": record.repository,
        "issue_number": record.issue_number,
        "lane": _lane(record),
        "repository_key": name_key(record.repository or ""),
        "payload": record.payload,
        "state": "ignored" if record.ignored else "pending",
        "attempts": 0,
        "received_at": record.received_at,
        "due_at": record.due_at or record.received_at,
        "finished_at": record.received_at if record.ignored else None,
    }


def _stored(row: DeliveryRow) -> StoredDelivery:
    return StoredDelivery(
        id=row.id,
        guid=row.guid,
        event=row.event,
        action=row.action,
        repository=row.repository,
        issue_number=row.issue_number,
        payload=row.payload,
        state=row.state,
        attempts=row.attempts,
        error=row.error,
        received_at=row.received_at,
        due_at=row.due_at,
        lease_until=row.lease_until,
        claimed_by=row.claimed_by,
        finished_at=row.finished_at,
    )
