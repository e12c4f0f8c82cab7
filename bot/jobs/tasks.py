"""The lanes of tasks: upkeep beside the tagging, and training in processes of its own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.github.errors import RateLimited
from bot.jobs.child import run_in_child
from bot.jobs.kinds import KINDS, Errand
from bot.jobs.lanes import KeptLease, Signals, finished, worker_name
from bot.jobs.planning import next_due
from bot.use_cases import task_answers
from store.errors import LeaseHeld, LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.bootstrap import Installation
    from bot.jobs.kinds import Kind
    from bot.use_cases.desk import Desk
    from store.task_records import ClaimedTask

log = logging.getLogger(__name__)

UPKEEP = "upkeep"
TRAINING = "training"
LEASE = timedelta(minutes=1)
GRACE = timedelta(seconds=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
MOST_ATTEMPTS = 6


class TaskLane:
    """One task after the other.

    :param name: UPKEEP or TRAINING, the kinds that want a process of their own.
    :param desk: made inside the event loop that the lane runs in.
    """

    at_once = 1

    def __init__(
        self,
        name: str,
        installation: Installation,
        desk: Desk,
        kinds: Mapping[str, Kind] = KINDS,
        *,
        lease: timedelta = LEASE,
        grace: timedelta = GRACE,
    ) -> None:
        self.name = name
        self.signals = Signals()
        self.worker = worker_name()
        self._installation = installation
        self._desk = desk
        self._kinds = {
            kind: one for kind, one in kinds.items() if one.own_process == (name == TRAINING)
        }
        self._lease = lease
        self._grace = grace

    async def claim(self, name: str | None = None) -> ClaimedTask | None:
        """See `Lane.claim`."""
        return await asyncio.to_thread(self._claim, name)

    async def see_through(self, claim: ClaimedTask) -> None:
        """See `Lane.see_through`."""
        working = asyncio.ensure_future(self._work(claim))
        try:
            left = claim.lease_until - self._desk.clock()
            async with KeptLease(lambda: self._renew(claim), self._lease, left) as kept:
                if await finished(working, self.signals.stopping, kept.lost, self._grace):
                    await self._finish(claim, "done", working.result())
                else:
                    kept.check(LeaseLost(claim.key, self.worker, what="task"))
                    await self._release(claim, self._desk.clock(), "the worker stops")
        except LeaseLost as error:
            log.warning("task lost to another worker", extra={"reason": str(error)})
        except LeaseHeld as error:
            await self._release(claim, error.lease.until, str(error))
        except RateLimited as error:
            await self._release(claim, error.retry_at, str(error))
        except CommandRefused as error:
            await self._finish(claim, "refused", str(error))
        except Exception as error:
            await self._fail(claim, error)

    def due(self, now: datetime) -> Sequence[str]:
        """See `Lane.due`."""
        with self._desk.store.read() as work:
            found = work.tasks.due(now)
        return [key for key in found if key.partition(":")[0] in self._kinds]

    def following(self, claim: ClaimedTask) -> str | None:  # noqa: ARG002 - tasks wait for none
        """See `Lane.following`."""
        return None

    def _claim(self, name: str | None) -> ClaimedTask | None:
        now = self._desk.clock()
        for key in self.due(now) if name is None else [name]:
            with self._desk.store.begin() as work:
                claim = work.tasks.claim(key, self.worker, self._lease, now)
            if claim is not None:
                log.info("task begun", extra={"task": claim.key, "attempts": claim.attempts})
                return claim
        return None

    async def _work(self, claim: ClaimedTask) -> str:
        if self._kinds[claim.kind].own_process:
            return await run_in_child(claim.key, self._installation.settings)
        return await run_errand(self._installation, self._desk, claim.key, self._kinds)

    def _renew(self, claim: ClaimedTask) -> None:
        with self._desk.store.begin() as work:
            work.tasks.renew(claim, self._lease, self._desk.clock())

    async def _finish(self, claim: ClaimedTask, end: task_answers.End, said: str) -> None:
        now = self._desk.clock()
        outcome = said if end == "done" else f"{end}: {said}"

        def finish() -> None:
            with self._desk.store.begin() as work:
                again = next_due(work.tasks.plan_of(claim), now)
                work.tasks.finish(claim, now, outcome, again)
                task_answers.have_told(work, claim, end, said, now)

        log.info("task done", extra={"task": claim.key, "outcome": outcome})
        await _put_down(finish)

    async def _release(self, claim: ClaimedTask, due_at: datetime, why: str) -> None:
        def release() -> None:
            with self._desk.store.begin() as work:
                work.tasks.release(claim, due_at)

        log.info("task handed back", extra={"task": claim.key, "reason": why, "again_at": due_at})
        await _put_down(release)

    async def _fail(self, claim: ClaimedTask, error: Exception) -> None:
        now = self._desk.clock()
        for_good = claim.attempts >= MOST_ATTEMPTS
        log.error(
            "task failed",
            exc_info=error,
            extra={
                "task": claim.key,
                "attempts": claim.attempts,
                "again_at": when_again(claim, now),
            },
        )

        def fail() -> None:
            with self._desk.store.begin() as work:
                said = f"{type(error).__name__}: {error}"
                again = when_again(replace(claim, cron=work.tasks.plan_of(claim)), now)
                work.tasks.fail(claim, said, now, again, for_good=for_good)
                if for_good:
                    task_answers.have_told(work, claim, "given up", "", now)

        await _put_down(fail)


def when_again(claim: ClaimedTask, now: datetime) -> datetime | None:
    """When a task that failed runs again: later and later, then when it comes round."""
    if claim.attempts >= MOST_ATTEMPTS:
        return next_due(claim.cron, now)
    return now + min(FIRST_PAUSE * (1 << (claim.attempts - 1)), LONGEST_PAUSE)


async def run_errand(
    installation: Installation, desk: Desk, key: str, kinds: Mapping[str, Kind] = KINDS
) -> str:
    """Do what a task says, in this process; returns what came of it.

    :raises CommandRefused: the task cannot be done, and trying again would not help.
    """

    def read() -> tuple[str, Errand]:
        kind, _, number = key.partition(":")
        with desk.store.read() as work:
            task = work.tasks.find(kind, int(number) if number else None)
            found = [one for one in work.repositories.all() if one.id == int(number or -1)]
        if task is None or (number and not found):
            raise CommandRefused(f"there is no task {key}, or its repository is gone")
        repository = found[0] if found else None
        return kind, Errand(installation, desk, repository, task.asked_by, task.detail)

    kind, errand = await asyncio.to_thread(read)
    return await kinds[kind].run(errand)


async def _put_down(act: Callable[[], None]) -> None:
    """Record an ending; where even that fails, the lease runs out by itself."""
    try:
        await asyncio.to_thread(act)
    except (StoreUnavailable, LeaseLost) as error:
        log.warning("what came of a task could not be recorded", extra={"reason": str(error)})
