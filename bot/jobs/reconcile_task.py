"""The task `reconcile`: what GitHub told nobody is found once a day, a repository at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.repositories.reconciling import sweep

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun


async def run(task_run: TaskRun) -> str:
    """Sweep one repository; a sweep that was ended goes on.

    :raises CommandRefused: there are no credentials, or the bot has left the repository.
    """
    context, repository = task_run.context, task_run.of_repository
    if context.access is None:
        raise CommandRefused("there are no credentials for GitHub")
    reconciled = await sweep(
        context.store, context.access, repository.full_name, now=context.clock()
    )
    return f"{reconciled.made_up} missed events made up, {reconciled.synced.issues.new} new issues"


def cron(schedule_context: ScheduleContext) -> str | None:
    """Every night, each repository at a minute of its own, so that they do not all come at once."""
    has_app = schedule_context.settings.github_app_id is not None
    if schedule_context.repository is None or not (
        has_app or schedule_context.settings.github_token
    ):
        return None
    minute = schedule_context.repository.id * 7 % 60
    return f"{minute} {schedule_context.repository.id % 6} * * *"
