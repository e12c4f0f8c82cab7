"""Jobs without an engine: a worker looks into the database, as soon as it is woken or idle.

For one machine. Several processes may do so on one database; claims keep them apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from bot.jobs.rush import Rush
from store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from bot.jobs.lanes import Lane

log = logging.getLogger(__name__)

_STUMBLED = "the worker stumbled and goes on; please report it"


class InProcessJobs:
    """:param poll: how long an idle lane sleeps unless woken."""

    def __init__(self, poll: timedelta) -> None:
        self._poll = poll.total_seconds()
        self._lanes: dict[str, Lane] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rush = Rush()

    def put(self, lane: str, name: str, due_at: datetime | None = None) -> None:  # noqa: ARG002 - the lane looks for itself
        """Wake the lane; where it runs in another process, that one looks every `poll`."""
        self._rush.arrived()
        found, loop = self._lanes.get(lane), self._loop
        if found is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(found.signals.wake)

    async def run(self, lanes: Sequence[Lane]) -> None:
        """Work in these lanes until all of them were told to stop."""
        self._loop = asyncio.get_running_loop()
        self._lanes = {lane.name: lane for lane in lanes}
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(self._serve(lane))

    def close(self) -> None:
        """Nothing was opened."""

    async def _serve(self, lane: Lane) -> None:
        in_hand: set[asyncio.Task[None]] = set()
        while not lane.signals.stopping.is_set():
            if not in_hand:
                await self._rush.hold_back(lane.signals.stopping)
            lane.signals.woken.clear()
            if (
                len(in_hand) < self._rush.room(lane.at_once)
                and (claim := await _claim(lane)) is not None
            ):
                task = asyncio.create_task(lane.see_through(claim))
                in_hand.add(task)
                # what ended makes room, and may have been in the way of something
                task.add_done_callback(lambda _: lane.signals.wake())
            else:
                await lane.signals.idle(self._poll)
            in_hand = {task for task in in_hand if not _ended(task)}
        await asyncio.gather(*in_hand)


def _ended(task: asyncio.Task[None]) -> bool:
    if task.done() and (error := task.exception()) is not None:
        log.error(_STUMBLED, exc_info=error)
    return task.done()


async def _claim(lane: Lane) -> Any:
    try:
        return await lane.claim()
    except StoreUnavailable as error:
        log.warning(
            "the database is not available", extra={"lane": lane.name, "reason": str(error)}
        )
        return None
    except Exception:  # a worker that ends for one piece of work would leave all the others
        log.exception(_STUMBLED)
        return None
