"""The kinds of task there are: an explicit dict, and what one entry says.

A new kind is a function `async def run(errand: Errand) -> str` beside its use case, and one entry
here. What asks for a run: `work.tasks.request(kind, repository_id, now, by=login)`, within the
transaction that keeps the reason for it. What comes round by itself says when with `cron`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.jobs import bringing_in, forgetting, reporting, sweeping, training

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.bootstrap import Installation
    from bot.configuration import RepositoryConfiguration
    from bot.settings import Settings
    from bot.use_cases.desk import Desk
    from store.records import Repository


@dataclass(frozen=True)
class Errand:
    """One run of a task: what it draws on, and what was asked.

    :ivar desk: made inside the event loop that the task runs in.
    :ivar repository: None for a task of the whole installation.
    :ivar asked_by: a login, or "" for the schedule.
    :ivar detail: what the requests said beyond that.
    """

    installation: Installation
    desk: Desk
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
class Circumstances:
    """What a schedule may depend on.

    :ivar configuration: as last read; for a task of the whole installation, that of no file.
    """

    settings: Settings
    configuration: RepositoryConfiguration
    repository: Repository | None


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    :ivar run: does it, and says in a sentence what came of it, for the issue that it was asked for
        on: no path, no secret, and `CommandRefused` likewise. It may be killed at any moment and
        run again from its beginning. Other errors have it run again later.
    :ivar cron: five fields of crontab(5) in UTC, or None where it does not come round by itself.
    :ivar of_repository: there is one for each repository; else one for the whole installation.
    :ivar own_process: it computes for long, so it gets a process of its own with a low priority,
        one at a time in each worker.
    """

    run: Callable[[Errand], Awaitable[str]]
    cron: Callable[[Circumstances], str | None]
    of_repository: bool = True
    own_process: bool = False


KINDS: Mapping[str, Kind] = {
    "retrain": Kind(training.run, training.cron, own_process=True),
    "report": Kind(reporting.run, reporting.cron, own_process=True),
    "sync": Kind(bringing_in.run, bringing_in.cron),
    "reconcile": Kind(sweeping.run, sweeping.cron),
    "forget": Kind(forgetting.run, forgetting.cron, of_repository=False),
}
