"""Tasks and leases: work that comes round, and what only one may do at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

TaskState = Literal["waiting", "running"]


@dataclass(frozen=True, slots=True)
class StoredTask:
    """Work that is asked for or comes round: one row for each kind and repository.

    :ivar repository_id: None where it concerns the whole installation.
    :ivar due_at: None: nobody waits for it.
    :ivar cron: when it comes round by itself; None: only when asked for.
    :ivar asked_at: when somebody asked for a run that has not begun; None: nobody waits for one.
    :ivar asked_by: who asked for the run that is due or going on, "" for the schedule.
    :ivar detail: what the requests said beyond that, such as the issues that they came from.
    :ivar outcome: what the last run that ended well came to, in a sentence.
    :ivar error: why the last run failed; None after one that went well.
    """

    key: str
    kind: str
    repository_id: int | None
    state: TaskState
    due_at: datetime | None
    cron: str | None
    asked_at: datetime | None
    asked_by: str
    detail: Mapping[str, Any] = field(repr=False)
    attempts: int
    error: str | None
    outcome: str | None
    claimed_by: str | None
    lease_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task that is ours until `lease_until`.

    :ivar attempts: the present one included.
    """

    key: str
    kind: str
    repository_id: int | None
    cron: str | None
    asked_by: str
    detail: Mapping[str, Any] = field(repr=False)
    attempts: int
    started_at: datetime
    worker: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may do something that only one may do at a time, since when, and until when at least."""

    name: str
    holder: str
    since: datetime
    until: datetime
