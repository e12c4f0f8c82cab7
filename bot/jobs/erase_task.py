"""The task `erase`: issues were deleted, and what else is kept of them is looked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.erasure.issue_erasing import sweep

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun


async def run(task_run: TaskRun) -> str:
    """Erase them from rows of others, from releases and from reports.

    :raises LeaseHeld: a training is under way; it comes first.
    :raises ReleaseDamaged: releases could not be reached; the next run goes on.
    """
    erased = await asyncio.to_thread(sweep, task_run.container, task_run.of_repository)
    return f"{erased.issues} deleted issues erased, {erased.releases} releases written anew"


def cron(_: ScheduleContext) -> str | None:
    """Only when asked for; `forget` asks again each night while something is left."""
    return None
