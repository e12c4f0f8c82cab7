"""The task `forget`: once a night, what is older than the settings keep is dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.erasure.retention import forget_old

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun


async def run(task_run: TaskRun) -> str:
    """Drop what the settings no longer keep.

    :raises StoreError: the database cannot do it now; the next run goes on.
    """
    forgotten = await asyncio.to_thread(forget_old, task_run.container)
    dropped = f"{forgotten.payloads} payloads and {forgotten.deliveries} deliveries dropped"
    return dropped + (f", {forgotten.repositories} repositories" if forgotten.repositories else "")


def cron(_context: ScheduleContext) -> str | None:
    """Every night, when little is done."""
    return "17 3 * * *"
