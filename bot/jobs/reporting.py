"""The task `report`: comes round by the configuration, or is asked for in a comment."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.configuration import RepositoryConfiguration
from bot.configuration.values import ReportTo
from bot.errors import CommandRefused
from bot.use_cases import report_issue
from bot.use_cases.configuration import known_configuration

if TYPE_CHECKING:
    from bot.jobs.kinds import Circumstances, Errand

log = logging.getLogger(__name__)


async def run(errand: Errand) -> str:
    """Take stock, then put the report where the configuration says; asked for, into the issue.

    :raises CommandRefused: no release serves, or nobody may write to GitHub.
    :raises GitHubError: GitHub could not be asked.
    """
    from bot.use_cases.reporting import report, write_files

    repository, installation, desk = errand.of_repository, errand.installation, errand.desk
    name = repository.full_name
    reported = await asyncio.to_thread(
        report, desk.store, desk.shelf, name, now=installation.clock()
    )
    configuration = known_configuration(repository) or RepositoryConfiguration.absent()
    if configuration.report.to is ReportTo.FILES or not (
        errand.asked_by or configuration.report.to is ReportTo.ISSUE
    ):
        folder = installation.settings.reports_folder / name
        await asyncio.to_thread(write_files, reported, folder)
        log.info("report written", extra={"repository": name, "folder": str(folder)})
        return f"written to files, {_alarms(len(reported.alarms))}"
    if desk.access is None:
        raise CommandRefused("there are no credentials to write the report's issue with")
    client = await desk.access.client(name, None)
    number = await report_issue.show(desk, client, repository, reported.text)
    return f"issue #{number}, {_alarms(len(reported.alarms))}"


def cron(given: Circumstances) -> str | None:
    """As the repository's configuration says."""
    report = given.configuration.report
    return None if report.to is ReportTo.NONE else report.schedule


def _alarms(number: int) -> str:
    return f"{number} alarm{'s' if number != 1 else ''}"
