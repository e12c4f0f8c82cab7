"""Tasks: what is asked for (a training) or comes round (a report), once for all workers.

- `request(kind, repository_id, now, by="", detail=None)`: due at once; asked for again while it
  runs, it runs once more afterwards
- `plan(kind, repository_id, cron, due_at)`: comes round by itself; None as `cron` stops that
- `due(now, limit=100) -> tuple[str, ...]`: keys of what waits for a worker, by due time
- `claim(key, worker, lease, now) -> ClaimedTask | None`
- `finish(claim, now, outcome, next_due)`, `fail(claim, error, now, retry_at, for_good=False)`,
  `renew(claim, lease, now)`, `release(claim, due_at)`: all raise LeaseLost where the claim is no
  longer ours
- `find(kind, repository_id) -> StoredTask | None`, `all()`

One row for each kind and repository. However often it was asked for, and however many times it
would have come round while nobody worked, it runs once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from store.engine.upsert import insert_into
from store.errors import LeaseLost
from store.records import ClaimedTask, StoredTask
from store.tables import TaskRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


def task_key(kind: str, repository_id: int | None = None) -> str:
    """The name of a task: its kind, and the store's id of its repository where it has one."""
    return kind if repository_id is None else f"{kind}:{repository_id}"


class Tasks:
    """The gateway to tasks within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def request(
        self,
        kind: str,
        repository_id: int | None,
        now: datetime,
        *,
        by: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> StoredTask:
        """Ask for a run as soon as there is a worker for it.

        :param detail: kept, beside that of others who ask, until a run that began after this has
            ended; its keys are this request's own.
        """
        self._make(kind, repository_id)
        row = self._locked(task_key(kind, repository_id))
        row.asked_at, row.asked_by = now, by
        row.detail = {**row.detail, **(detail or {})}
        row.due_at, row.attempts = now, 0 if row.state == "waiting" else row.attempts
        self._session.flush()
        return _stored(row)

    def plan(
        self, kind: str, repository_id: int | None, cron: str | None, due_at: datetime | None
    ) -> None:
        """Let a task come round by `cron`, next at `due_at`; what is so planned already stays.

        :param cron: five fields, kept to tell a change of plan; None: no longer by itself.
        """
        row = self._session.get(TaskRow, task_key(kind, repository_id))
        if row is None and cron is None:
            return
        if row is not None and row.cron == cron:
            return
        self._make(kind, repository_id)
        row = self._locked(task_key(kind, repository_id))
        row.cron = cron
        if row.asked_at is None and row.attempts == 0:
            row.due_at = due_at
        self._session.flush()

    def due(self, now: datetime, limit: int = 100) -> tuple[str, ...]:
        """Keys of tasks that wait for a worker, or whose worker's lease ran out."""
        query = select(TaskRow.key).where(_claimable(now)).order_by(TaskRow.due_at, TaskRow.key)
        return tuple(self._session.scalars(query.limit(limit)))

    def claim(self, key: str, worker: str, lease: timedelta, now: datetime) -> ClaimedTask | None:
        """Take the task; None: it is not due, or another worker has it."""
        taken = self._session.scalars(
            update(TaskRow)
            .where(TaskRow.key == key, _claimable(now))
            .values(
                state="running",
                claimed_by=worker,
                lease_until=now + lease,
                started_at=now,
                attempts=TaskRow.attempts + 1,
                asked_at=None,
                due_at=None,
            )
            .returning(TaskRow.key)
            .execution_options(synchronize_session=False)
        )
        if taken.first() is None:
            return None
        row = self._session.get_one(TaskRow, key, populate_existing=True)
        return ClaimedTask(
            key=row.key,
            kind=row.kind,
            repository_id=row.repository_id,
            cron=row.cron,
            asked_by=row.asked_by,
            detail=dict(row.detail),
            attempts=row.attempts,
            started_at=now,
            worker=worker,
            lease_until=now + lease,
        )

    def plan_of(self, claim: ClaimedTask) -> str | None:
        """By what it comes round at this moment: the plan may have changed since the claim.

        :raises LeaseLost: the claim is no longer ours.
        """
        return self._held(claim).cron

    def finish(
        self, claim: ClaimedTask, now: datetime, outcome: str, next_due: datetime | None
    ) -> None:
        """It went well; it comes round again at `next_due`, at once if it was asked for meanwhile.

        :raises LeaseLost: the claim is no longer ours.
        """
        row = self._held(claim)
        row.outcome, row.error, row.finished_at, row.attempts = outcome, None, now, 0
        _answer(row, claim)
        if row.asked_at is None:
            row.due_at, row.asked_by = next_due, ""
        self._let_go(row)

    def fail(
        self,
        claim: ClaimedTask,
        error: str,
        now: datetime,
        retry_at: datetime | None,
        *,
        for_good: bool = False,
    ) -> None:
        """It failed and is due again at `retry_at`; with None only when asked for.

        :param for_good: those who asked are answered by that; a run at `retry_at` is another one.
        :raises LeaseLost: the claim is no longer ours.
        """
        row = self._held(claim)
        row.error, row.finished_at = error, now
        if for_good:
            _answer(row, claim)
        if row.asked_at is None:
            row.due_at = retry_at
        else:
            row.attempts = 0
        self._let_go(row)

    def release(self, claim: ClaimedTask, due_at: datetime) -> None:
        """Hand it back, due at `due_at`, as if it had never been claimed.

        :raises LeaseLost: the claim is no longer ours.
        """
        row = self._held(claim)
        row.attempts -= 1
        if row.asked_at is None:
            row.due_at = due_at
        self._let_go(row)

    def renew(self, claim: ClaimedTask, lease: timedelta, now: datetime) -> ClaimedTask:
        """Hold on to the task for another `lease`.

        :raises LeaseLost: the claim is no longer ours.
        """
        self._held(claim).lease_until = now + lease
        self._session.flush()
        return replace(claim, lease_until=now + lease)

    def find(self, kind: str, repository_id: int | None = None) -> StoredTask | None:
        """The task of this kind and repository, None where there never was one."""
        row = self._session.get(TaskRow, task_key(kind, repository_id), populate_existing=True)
        return None if row is None else _stored(row)

    def all(self) -> tuple[StoredTask, ...]:
        """Every task, by its key."""
        rows = self._session.scalars(select(TaskRow).order_by(TaskRow.key))
        return tuple(_stored(row) for row in rows)

    def _make(self, kind: str, repository_id: int | None) -> None:
        row: dict[str, Any] = {
            "key": task_key(kind, repository_id),
            "kind": kind,
            "repository_id": repository_id,
            "state": "waiting",
            "asked_by": "",
            "detail": {},
            "attempts": 0,
        }
        self._session.execute(insert_into(self._session, TaskRow).on_conflict_do_nothing(), [row])

    def _locked(self, key: str) -> TaskRow:
        return self._session.get_one(TaskRow, key, populate_existing=True, with_for_update=True)

    def _held(self, claim: ClaimedTask) -> TaskRow:
        row = self._session.get(TaskRow, claim.key, populate_existing=True, with_for_update=True)
        # `started_at` tells this claim from a later one by a worker of the same name.
        ours = (claim.worker, "running", claim.started_at)
        if row is None or (row.claimed_by, row.state, row.started_at) != ours:
            raise LeaseLost(claim.key, claim.worker, what="task")
        return row

    def _let_go(self, row: TaskRow) -> None:
        row.state, row.claimed_by, row.lease_until = "waiting", None, None
        self._session.flush()


def _answer(row: TaskRow, claim: ClaimedTask) -> None:
    """Drop what the requests said that this run was for."""
    row.detail = {key: value for key, value in row.detail.items() if key not in claim.detail}


def _claimable(now: datetime) -> ColumnElement[bool]:
    due = (TaskRow.state == "waiting") & (TaskRow.due_at <= now)
    return or_(due, (TaskRow.state == "running") & (TaskRow.lease_until < now))


def _stored(row: TaskRow) -> StoredTask:
    return StoredTask(
        key=row.key,
        kind=row.kind,
        repository_id=row.repository_id,
        state=row.state,
        due_at=row.due_at,
        cron=row.cron,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        detail=dict(row.detail),
        attempts=row.attempts,
        error=row.error,
        outcome=row.outcome,
        claimed_by=row.claimed_by,
        lease_until=row.lease_until,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
