"""Jobs on PostgreSQL: the engine hands out names, and a sweep puts in what it does not know.

What is accepted and not done is known by our own tables alone. A name that the engine hands out is
claimed there first, so one that is handed out twice, or too early, or by mistake, does no harm; and
one that it lost is put in again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from bot.jobs.queues import worker_name
from store.errors import LeaseHeld, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from bot.jobs.queues import Queue
    from store.database import Store
    from store.engine.job_engine import JobEngine

log = logging.getLogger(__name__)

_SWEEPING = "the sweep for lost jobs"


class EngineJobs:
    """:param sweep: how often one of all workers looks for work that the engine does not know."""

    def __init__(
        self, store: Store, engine: JobEngine, clock: Callable[[], datetime], sweep: timedelta
    ) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._sweep = sweep
        self._me = worker_name()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hints: set[asyncio.Task[None]] = set()

    def put(self, queue: str, name: str, due_at: datetime | None = None) -> None:
        """Hand a name to the engine. See `JobSource.put`."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._hint, queue, name, due_at)

    async def run(self, queues: Sequence[Queue]) -> None:
        """Work in these queues until all of them were told to stop."""
        self._loop = asyncio.get_running_loop()
        by_name = {queue.name: queue for queue in queues}
        stopped = asyncio.gather(*(queue.signals.stopping.wait() for queue in queues))
        while not stopped.done():
            try:
                await self._work_until(stopped, by_name)
            except* StoreUnavailable as errors:
                log.warning("the job engine is not available", extra={"reason": str(errors)})
                await asyncio.wait({stopped}, timeout=self._sweep.total_seconds())

    def close(self) -> None:
        """`run` has closed what it opened."""

    async def _work_until(self, stopped: asyncio.Future[Any], queues: dict[str, Queue]) -> None:
        await asyncio.to_thread(self._engine.install)
        await self._engine.open()
        try:
            async with asyncio.TaskGroup() as group:
                working = group.create_task(
                    self._engine.work(
                        {queue.name: queue.at_once for queue in queues.values()},
                        lambda queue, name: self._handle(queues[queue], name),
                    )
                )
                sweeping = group.create_task(self._sweep_on(tuple(queues.values())))
                await asyncio.wait({stopped, working, sweeping}, return_when="FIRST_COMPLETED")
                working.cancel()
                sweeping.cancel()
        finally:
            await self._engine.close()

    async def _handle(self, queue: Queue, name: str) -> None:
        following: str | None = name
        while following is not None and not queue.signals.stopping.is_set():
            try:
                claim = await queue.claim(following)
                if claim is None:
                    return  # done, or held, or not due: the sweep knows when it is
                await queue.see_through(claim)
                following = await asyncio.to_thread(queue.following, claim)
            except StoreUnavailable as error:
                log.warning("the database is not available", extra={"reason": str(error)})
                return

    async def _sweep_on(self, queues: Sequence[Queue]) -> None:
        while True:
            try:
                if await asyncio.to_thread(self._my_turn):
                    await self._sweep_once(queues)
            except StoreUnavailable as error:
                log.warning("the sweep is put off", extra={"reason": str(error)})
            await asyncio.sleep(self._sweep.total_seconds())

    async def _sweep_once(self, queues: Sequence[Queue]) -> None:
        await self._engine.bury_the_dead()
        for queue in queues:
            due = await asyncio.to_thread(queue.due, self._clock())
            in_engine = await self._engine.waiting(queue.name) if due else frozenset()
            await self._engine.put(queue.name, [name for name in due if name not in in_engine])

    def _my_turn(self) -> bool:
        """One worker sweeps for all; where it dies, another one does."""
        try:
            with self._store.begin() as work:
                work.leases.take(_SWEEPING, self._me, 3 * self._sweep, self._clock())
        except LeaseHeld:
            return False
        return True

    def _hint(self, queue: str, name: str, due_at: datetime | None) -> None:
        task = asyncio.ensure_future(self._put(queue, name, due_at))
        self._hints.add(task)
        task.add_done_callback(self._hints.discard)

    async def _put(self, queue: str, name: str, due_at: datetime | None) -> None:
        with contextlib.suppress(Exception):  # a mere hint: the sweep finds it
            await self._engine.put(queue, [name], due_at)
