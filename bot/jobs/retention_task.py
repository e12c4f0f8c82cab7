"""The task `forget`: once a night, old payloads and deliveries are dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.repositories.retention import forget_old

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun


async def run(task_run: TaskRun) -> str:
    """Drop what the settings no longer keep.

    :raises StoreError: the database cannot do it now; the next run goes on.
    """
    forgotten = await asyncio.to_thread(forget_old, task_run.container)
    return f"{forgotten.payloads} payloads and {forgotten.deliveries} deliveries dropped"


def cron(_context: ScheduleContext) -> str | None:
    """Every night, when little is done."""
    return "17 3 * * *"
