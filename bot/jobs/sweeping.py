"""The task `reconcile`: what GitHub told nobody is found once a day, a repository at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.use_cases.reconciling import sweep

if TYPE_CHECKING:
    from bot.jobs.kinds import Circumstances, Errand


async def run(errand: Errand) -> str:
    """Sweep one repository; a sweep that was ended goes on.

    :raises CommandRefused: there are no credentials, or the bot has left the repository.
    """
    desk, repository = errand.desk, errand.of_repository
    if desk.access is None:
        raise CommandRefused("there are no credentials for GitHub")
    found = await sweep(desk.store, desk.access, repository.full_name, now=desk.clock())
    return f"{found.made_up} missed events made up, {found.synced.issues.new} new issues"


def cron(given: Circumstances) -> str | None:
    """Every night, each repository at a minute of its own, so that they do not all come at once."""
    has_app = given.settings.github_app_id is not None
    if given.repository is None or not (has_app or given.settings.github_token):
        return None
    minute = given.repository.id * 7 % 60
    return f"{minute} {given.repository.id % 6} * * *"
