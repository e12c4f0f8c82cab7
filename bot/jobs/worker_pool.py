"""The queues of one process at work: in the service's thread, or as `issue-tagger work`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.jobs.delivery_queue import TAGGING, DeliveryLimits, DeliveryQueue
from bot.jobs.scheduler import plan_all
from bot.jobs.task_queue import TRAINING, UPKEEP, TaskQueue
from store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from bot.container import Container
    from bot.jobs.queues import JobSource, Queue
    from bot.receiving.handler_context import HandlerContext

log = logging.getLogger(__name__)

QUEUES = (TAGGING, UPKEEP, TRAINING)
PLANNED_AGAIN = 60.0
"""Seconds."""


@dataclass(frozen=True)
class WorkerPool:
    """The queues that one process works in, and how it comes by their work."""

    jobs: JobSource
    queues: tuple[Queue, ...]

    def stop(self) -> None:
        """Take nothing further."""
        for queue in self.queues:
            queue.signals.stop()


class WorkerThread:
    """Workers in a thread of their own, with an event loop and connections of their own."""

    def __init__(
        self,
        container: Container,
        pace: DeliveryLimits | None = None,
        queues: Collection[str] = QUEUES,
    ) -> None:
        self._container = container
        self._pace = pace or DeliveryLimits()
        self._queues = queues
        self._crew: WorkerPool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._stop_asked = threading.Event()
        self._reopening = threading.Event()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, guid: str, due_at: datetime | None = None) -> None:
        """A delivery came in. Callable from any thread, and cheap."""
        if self._crew is not None:
            self._crew.jobs.put(TAGGING, guid, due_at)

    def stop(self) -> None:
        """Stop and wait until what is in hand is finished or handed back."""
        self._stop_asked.set()
        self._stop_crew()
        if self._thread.is_alive():
            self._thread.join()

    def reopen(self) -> None:
        """Finish what is in hand and go on with a context made anew: credentials have come."""
        self._reopening.set()
        self._stop_crew()

    @property
    def alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    @property
    def warm(self) -> bool:
        """Whether the releases are loaded and deliveries are taken up."""
        return self._crew is not None

    def _stop_crew(self) -> None:
        pool, loop = self._crew, self._loop
        if pool is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(pool.stop)

    def _run(self) -> None:
        arguments = (self._container, self._pace, self._queues)
        try:
            again = True
            while again and not self._stop_asked.is_set():
                self._reopening.clear()
                asyncio.run(work(*arguments, started=self._started))
                again = self._reopening.is_set()
        except Exception:
            log.exception("the worker ended; restart the service")

    def _started(self, pool: WorkerPool) -> None:
        self._loop = asyncio.get_running_loop()
        self._crew = pool
        # asked for while this pool was made, when there was nothing to stop yet
        if self._stop_asked.is_set() or self._reopening.is_set():
            pool.stop()


async def work(
    container: Container,
    pace: DeliveryLimits | None = None,
    queues: Collection[str] = QUEUES,
    *,
    started: Callable[[WorkerPool], None] | None = None,
) -> None:
    """Make a context in this loop, load releases, work until stopped, and close the connections.

    :param queues: those of QUEUES to work in.
    :param started: told of the pool, so that it can be handed work and stopped.
    """
    pace = pace or DeliveryLimits()
    context = container.context()
    pool = WorkerPool(container.jobs(pace), _queues(container, context, pace, queues))
    try:
        if TAGGING in queues:
            with contextlib.suppress(StoreUnavailable):  # it waits for the database to come back
                await asyncio.to_thread(context.cache.warm)
        if started is not None:
            started(pool)
        log.info("worker started", extra={"lanes": [queue.name for queue in pool.queues]})
        planning = asyncio.create_task(_plan_on(container))
        try:
            await pool.jobs.run(pool.queues)
        finally:
            planning.cancel()
        log.info("worker stopped")
    finally:
        pool.jobs.close()
        if context.access is not None:
            await context.access.aclose()


def _queues(
    container: Container, context: HandlerContext, pace: DeliveryLimits, wanted: Collection[str]
) -> tuple[Queue, ...]:
    made: list[Queue] = [DeliveryQueue(context, pace=pace)] if TAGGING in wanted else []
    made += [TaskQueue(name, container, context) for name in (UPKEEP, TRAINING) if name in wanted]
    return tuple(made)


async def _plan_on(container: Container) -> None:
    """Keep the plan of what comes round in step with configurations, whoever else does so too."""
    while True:
        try:
            now = container.clock()
            await asyncio.to_thread(plan_all, container.store, container.settings, now)
        except StoreUnavailable as error:
            log.warning("the plan was not looked at", extra={"reason": str(error)})
        await asyncio.sleep(PLANNED_AGAIN)
