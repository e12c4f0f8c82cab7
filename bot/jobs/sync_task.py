"""The task `sync`: a repository is new here, and what it holds is brought in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.repositories.syncing import sync

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun


async def run(task_run: TaskRun) -> str:
    """Bring in what is new; an earlier run that was ended goes on.

    :raises CommandRefused: there are no credentials for GitHub.
    """
    context, repository = task_run.context, task_run.of_repository
    if context.access is None:
        raise CommandRefused("there are no credentials for GitHub")
    done = await sync(context.store, context.access, repository.full_name, now=context.clock())
    return f"{done.issues.new} new issues, {done.issues.changed} changed"


def cron(_: ScheduleContext) -> str | None:
    """Only when asked for; `reconcile` comes round."""
    return None
