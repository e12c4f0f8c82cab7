"""The kinds of task there are: an explicit dict, and what one entry says.

A new kind is a function `async def run(task_run: TaskRun) -> str` beside its use case, and one
entry here. What asks for a run: `work.tasks.request(kind, repository_id, now, by=login)`, within
the transaction that keeps the reason for it. What comes round by itself says when with `cron`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.jobs import (
    erase_task,
    reconcile_task,
    report_task,
    retention_task,
    retrain_task,
    sync_task,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.configuration import RepositoryConfiguration
    from bot.container import Container
    from bot.process.settings import Settings
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository


@dataclass(frozen=True)
class TaskRun:
    """One run of a task: what it draws on, and what was asked.

    :ivar context: made inside the event loop that the task runs in.
    :ivar repository: None for a task of the whole installation.
    :ivar asked_by: a login, or "" for the schedule.
    :ivar detail: what the requests said beyond that.
    """

    container: Container
    context: HandlerContext
    repository: Repository | None
    asked_by: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def of_repository(self) -> Repository:
        """The repository of a task that has one."""
        if self.repository is None:
            raise ValueError("this task is of the whole installation, expected one of a repository")
        return self.repository


@dataclass(frozen=True)
class ScheduleContext:
    """What a schedule may depend on.

    :ivar configuration: as last read; for a task of the whole installation, that of no file.
    """

    settings: Settings
    configuration: RepositoryConfiguration
    repository: Repository | None


@dataclass(frozen=True)
class TaskKind:
    """One kind of task.

    :ivar run: does it, and says in a sentence what came of it, for the issue that it was asked for
        on: no path, no secret, and `CommandRefused` likewise. It may be killed at any moment and
        run again from its beginning. Other errors have it run again later.
    :ivar cron: five fields of crontab(5) in UTC, or None where it does not come round by itself.
    :ivar of_repository: there is one for each repository; else one for the whole installation.
    :ivar own_process: it computes for long, so it gets a process of its own with a low priority,
        one at a time in each worker.
    """

    run: Callable[[TaskRun], Awaitable[str]]
    cron: Callable[[ScheduleContext], str | None]
    of_repository: bool = True
    own_process: bool = False


KINDS: Mapping[str, TaskKind] = {
    "retrain": TaskKind(retrain_task.run, retrain_task.cron, own_process=True),
    "report": TaskKind(report_task.run, report_task.cron, own_process=True),
    "sync": TaskKind(sync_task.run, sync_task.cron),
    "reconcile": TaskKind(reconcile_task.run, reconcile_task.cron),
    "erase": TaskKind(erase_task.run, erase_task.cron),
    "forget": TaskKind(retention_task.run, retention_task.cron, of_repository=False),
}
