"""The task `report`: comes round by the configuration, or is asked for in a comment."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import known_configuration
from bot.configuration.values import ReportTo
from bot.conversations import report_issue
from bot.errors import CommandRefused
from bot.github.errors import Gone, Invalid, NotFound

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun

log = logging.getLogger(__name__)


async def run(task_run: TaskRun) -> str:
    """Take stock, then put the report where the configuration says; asked for, into the issue.

    :raises CommandRefused: no release serves, or nobody may write to GitHub.
    :raises GitHubError: GitHub could not be asked.
    """
    from bot.evaluating.reporting import report, write_files

    repository, container, context = (
        task_run.of_repository,
        task_run.container,
        task_run.context,
    )
    name = repository.full_name
    reported = await asyncio.to_thread(
        report, context.store, context.cache, name, now=container.clock()
    )
    configuration = known_configuration(repository) or RepositoryConfiguration.absent()
    if configuration.report.to is ReportTo.FILES or not (
        task_run.asked_by or configuration.report.to is ReportTo.ISSUE
    ):
        folder = container.settings.reports_folder / name
        await asyncio.to_thread(write_files, reported, folder)
        log.info("report written", extra={"repository": name, "folder": str(folder)})
        return f"written to files, {_alarms(len(reported.alarms))}"
    if context.access is None:
        raise CommandRefused("there are no credentials to write the report's issue with")
    client = await context.access.client(name, None)
    try:
        number = await report_issue.show(context, client, repository, reported.text)
    except (Gone, Invalid, NotFound) as refused:
        raise CommandRefused(f"GitHub takes no report's issue there: {refused}") from refused
    return f"issue #{number}, {_alarms(len(reported.alarms))}"


def cron(schedule_context: ScheduleContext) -> str | None:
    """As the repository's configuration says."""
    report = schedule_context.configuration.report
    return None if report.to is ReportTo.NONE else report.schedule


def _alarms(number: int) -> str:
    return f"{number} alarm{'s' if number != 1 else ''}"
