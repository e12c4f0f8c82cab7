"""The lanes of one process at work: in the service's thread, or as `issue-tagger work`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.jobs.planning import plan_all
from bot.jobs.tasks import TRAINING, UPKEEP, TaskLane
from bot.worker import TAGGING, Pace, Worker
from store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from bot.bootstrap import Installation
    from bot.jobs.lanes import Jobs, Lane
    from bot.use_cases.desk import Desk

log = logging.getLogger(__name__)

LANES = (TAGGING, UPKEEP, TRAINING)
PLANNED_AGAIN = 60.0
"""Seconds."""


@dataclass(frozen=True)
class Crew:
    """The lanes that one process works in, and how it comes by their work."""

    jobs: Jobs
    lanes: tuple[Lane, ...]

    def stop(self) -> None:
        """Take nothing further."""
        for lane in self.lanes:
            lane.signals.stop()


class WorkerThread:
    """Workers in a thread of their own, with an event loop and connections of their own."""

    def __init__(
        self,
        installation: Installation,
        pace: Pace | None = None,
        lanes: Collection[str] = LANES,
    ) -> None:
        self._installation = installation
        self._pace = pace or Pace()
        self._lanes = lanes
        self._crew: Crew | None = None
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
        """Finish what is in hand and go on at a desk opened anew: credentials have come."""
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
        crew, loop = self._crew, self._loop
        if crew is not None and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(crew.stop)

    def _run(self) -> None:
        given = (self._installation, self._pace, self._lanes)
        try:
            again = True
            while again and not self._stop_asked.is_set():
                self._reopening.clear()
                asyncio.run(work(*given, started=self._started))
                again = self._reopening.is_set()
        except Exception:
            log.exception("the worker ended; restart the service")

    def _started(self, crew: Crew) -> None:
        self._loop = asyncio.get_running_loop()
        self._crew = crew
        if self._stop_asked.is_set():
            crew.stop()


async def work(
    installation: Installation,
    pace: Pace | None = None,
    lanes: Collection[str] = LANES,
    *,
    started: Callable[[Crew], None] | None = None,
) -> None:
    """Open a desk in this loop, load releases, work until stopped, and close the connections.

    :param lanes: those of LANES to work in.
    :param started: told of the crew, so that it can be handed work and stopped.
    """
    pace = pace or Pace()
    desk = installation.desk()
    crew = Crew(installation.jobs(pace), _lanes(installation, desk, pace, lanes))
    try:
        if TAGGING in lanes:
            with contextlib.suppress(StoreUnavailable):  # it waits for the database to come back
                await asyncio.to_thread(desk.shelf.warm)
        if started is not None:
            started(crew)
        log.info("worker started", extra={"lanes": [lane.name for lane in crew.lanes]})
        planning = asyncio.create_task(_plan_on(installation))
        try:
            await crew.jobs.run(crew.lanes)
        finally:
            planning.cancel()
        log.info("worker stopped")
    finally:
        crew.jobs.close()
        if desk.access is not None:
            await desk.access.aclose()


def _lanes(
    installation: Installation, desk: Desk, pace: Pace, wanted: Collection[str]
) -> tuple[Lane, ...]:
    made: list[Lane] = [Worker(desk, pace=pace)] if TAGGING in wanted else []
    made += [TaskLane(name, installation, desk) for name in (UPKEEP, TRAINING) if name in wanted]
    return tuple(made)


async def _plan_on(installation: Installation) -> None:
    """Keep the plan of what comes round in step with configurations, whoever else does so too."""
    while True:
        try:
            now = installation.clock()
            await asyncio.to_thread(plan_all, installation.store, installation.settings, now)
        except StoreUnavailable as error:
            log.warning("the plan was not looked at", extra={"reason": str(error)})
        await asyncio.sleep(PLANNED_AGAIN)
