"""The task `forget`: once a night, old payloads and deliveries are dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.use_cases.retention import forget_old

if TYPE_CHECKING:
    from bot.jobs.kinds import Circumstances, Errand


async def run(errand: Errand) -> str:
    """Drop what the settings no longer keep.

    :raises StoreError: the database cannot do it now; the next run goes on.
    """
    forgotten = await asyncio.to_thread(forget_old, errand.installation)
    return f"{forgotten.payloads} payloads and {forgotten.deliveries} deliveries dropped"


def cron(given: Circumstances) -> str | None:  # noqa: ARG001 - it depends on nothing
    """Every night, when little is done."""
    return "17 3 * * *"
