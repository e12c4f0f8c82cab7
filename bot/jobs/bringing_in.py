"""The task `sync`: a repository is new here, and what it holds is brought in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.use_cases.syncing import sync

if TYPE_CHECKING:
    from bot.jobs.kinds import Circumstances, Errand


async def run(errand: Errand) -> str:
    """Bring in what is new; an earlier run that was ended goes on.

    :raises CommandRefused: there are no credentials for GitHub.
    """
    desk, repository = errand.desk, errand.of_repository
    if desk.access is None:
        raise CommandRefused("there are no credentials for GitHub")
    done = await sync(desk.store, desk.access, repository.full_name, now=desk.clock())
    return f"{done.issues.new} new issues, {done.issues.changed} changed"


def cron(_: Circumstances) -> str | None:
    """Only when asked for; `reconcile` comes round."""
    return None
