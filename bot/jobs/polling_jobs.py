"""Jobs without an engine: a worker looks into the database, as soon as it is woken or idle.

For one machine. Several processes may do so on one database; claims keep them apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from bot.jobs.admission_control import AdmissionControl
from store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from bot.jobs.queues import Queue

log = logging.getLogger(__name__)

_STUMBLED = "the worker stumbled and goes on; please report it"


class PollingJobs:
    """:param poll: how long an idle queue sleeps unless woken."""

    def __init__(self, poll: timedelta) -> None:
        self._poll = poll.total_seconds()
        self._queues: dict[str, Queue] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._admission = AdmissionControl()

    def put(self, queue: str, name: str, due_at: datetime | None = None) -> None:  # noqa: ARG002 - the queue looks for itself
        """Wake the queue; where it runs in another process, that one looks every `poll`."""
        self._admission.arrived()
        waiting, loop = self._queues.get(queue), self._loop
        if waiting is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(waiting.signals.wake)

    async def run(self, queues: Sequence[Queue]) -> None:
        """Work in these queues until all of them were told to stop."""
        self._loop = asyncio.get_running_loop()
        self._queues = {queue.name: queue for queue in queues}
        async with asyncio.TaskGroup() as group:
            for queue in queues:
                group.create_task(self._serve(queue))

    def close(self) -> None:
        """Nothing was opened."""

    async def _serve(self, queue: Queue) -> None:
        in_hand: set[asyncio.Task[None]] = set()
        while not queue.signals.stopping.is_set():
            if not in_hand:
                await self._admission.hold_back(queue.signals.stopping)
            queue.signals.woken.clear()
            if (
                len(in_hand) < self._admission.room(queue.at_once)
                and (claim := await _claim(queue)) is not None
            ):
                task = asyncio.create_task(queue.see_through(claim))
                in_hand.add(task)
                # what ended makes room, and may have been in the way of something
                task.add_done_callback(lambda _: queue.signals.wake())
            else:
                await queue.signals.idle(self._poll)
            in_hand = {task for task in in_hand if not _ended(task)}
        await asyncio.gather(*in_hand)


def _ended(task: asyncio.Task[None]) -> bool:
    if task.done() and (error := task.exception()) is not None:
        log.error(_STUMBLED, exc_info=error)
    return task.done()


async def _claim(queue: Queue) -> Any:
    try:
        return await queue.claim()
    except StoreUnavailable as error:
        log.warning(
            "the database is not available", extra={"lane": queue.name, "reason": str(error)}
        )
        return None
    except Exception:  # a worker that ends for one piece of work would leave all the others
        log.exception(_STUMBLED)
        return None
