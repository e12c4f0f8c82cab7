"""Which tasks come round, and when next: kept in the database, the same for every worker.

Planning again changes nothing unless a schedule changed. A task has one row and one due time, so
after any downtime it runs once, and its next turn is counted from then.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from bot.configuration.schedule import Schedule
from bot.jobs.task_kinds import KINDS, ScheduleContext
from bot.repositories.names import names_a_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bot.jobs.task_kinds import TaskKind
    from bot.process.settings import Settings
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)


def plan_all(
    store: Store, settings: Settings, now: datetime, kinds: Mapping[str, TaskKind] = KINDS
) -> None:
    """Plan every kind of task for every repository; writes only where something changed."""
    with store.read() as work:
        repositories = work.repositories.all()
        planned = {task.key: task.cron for task in work.tasks.all()}
    wanted = list(_wanted(settings, repositories, kinds))
    changes = [plan for plan in wanted if planned.get(_key(plan[0], plan[1])) != plan[2]]
    if not changes:
        return
    with store.begin() as work:
        for kind, repository, cron in changes:
            _plan(work, kind, repository, cron, now)


def next_due(cron: str | None, now: datetime) -> datetime | None:
    """When a task that ended now comes round again."""
    return None if cron is None else Schedule.of(cron).next_after(now)


def _wanted(
    settings: Settings, repositories: tuple[Repository, ...], kinds: Mapping[str, TaskKind]
) -> Iterator[tuple[str, Repository | None, str | None]]:
    absent = RepositoryConfiguration.absent()
    for name, kind in kinds.items():
        if not kind.of_repository:
            yield name, None, kind.cron(ScheduleContext(settings, absent, None))
            continue
        for repository in repositories:
            configuration = known_configuration(repository) or absent
            cron = kind.cron(ScheduleContext(settings, configuration, repository))
            # One that had to give its name away waits for a webhook that tells its present one.
            yield name, repository, cron if names_a_repository(repository.full_name) else None


def _plan(
    work: UnitOfWork, kind: str, repository: Repository | None, cron: str | None, now: datetime
) -> None:
    repository_id = repository.id if repository else None
    work.tasks.plan(kind, repository_id, cron, next_due(cron, now))
    log.info(
        "planned",
        extra={"task": kind, "repository": repository and repository.full_name, "cron": cron},
    )


def _key(kind: str, repository: Repository | None) -> str:
    from store.queues.tasks import task_key

    return task_key(kind, repository.id if repository else None)
