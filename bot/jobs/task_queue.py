"""The queues of tasks: upkeep beside the tagging, and training in processes of its own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.backoff import backoff
from bot.conversations import task_answers
from bot.errors import CommandRefused
from bot.github.errors import RateLimited
from bot.jobs.consumer import put_down, see_through
from bot.jobs.queues import Signals, worker_name
from bot.jobs.scheduler import next_due
from bot.jobs.task_kinds import KINDS
from bot.jobs.task_run import run_task
from bot.jobs.task_subprocess import run_in_subprocess
from store.errors import LeaseHeld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.container import Container
    from bot.jobs.task_kinds import TaskKind
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedTask

log = logging.getLogger(__name__)

UPKEEP = "upkeep"
TRAINING = "training"
LEASE = timedelta(minutes=1)
GRACE = timedelta(seconds=10)
FIRST_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=6)
MAX_ATTEMPTS = 6


class TaskQueue:
    """One task after the other.

    :param name: UPKEEP or TRAINING, the kinds that want a process of their own.
    :param context: made inside the event loop that the queue runs in.
    """

    at_once = 1

    def __init__(
        self,
        name: str,
        container: Container,
        context: HandlerContext,
        kinds: Mapping[str, TaskKind] = KINDS,
        *,
        lease: timedelta = LEASE,
        grace: timedelta = GRACE,
    ) -> None:
        self.name = name
        self.signals = Signals()
        self.worker = worker_name()
        self._container = container
        self._context = context
        self._kinds = {
            kind: task_kind
            for kind, task_kind in kinds.items()
            if task_kind.own_process == (name == TRAINING)
        }
        self.lease = lease
        self.grace = grace

    async def claim(self, name: str | None = None) -> ClaimedTask | None:
        """See `Queue.claim`."""
        return await asyncio.to_thread(self._claim, name)

    async def see_through(self, claim: ClaimedTask) -> None:
        """See `Queue.see_through`."""
        await see_through(self, claim, self.signals.stopping, self._context.clock())

    def due(self, now: datetime) -> Sequence[str]:
        """See `Queue.due`."""
        with self._context.store.read() as work:
            keys = work.tasks.due(now)
        return [key for key in keys if key.partition(":")[0] in self._kinds]

    def following(self, claim: ClaimedTask) -> str | None:  # noqa: ARG002 - tasks wait for none
        """See `Queue.following`."""
        return None

    def _claim(self, name: str | None) -> ClaimedTask | None:
        now = self._context.clock()
        for key in self.due(now) if name is None else [name]:
            with self._context.store.begin() as work:
                claim = work.tasks.claim(key, self.worker, self.lease, now)
            if claim is not None:
                log.info("task begun", extra={"task": claim.key, "attempts": claim.attempts})
                return claim
        return None

    async def work(self, claim: ClaimedTask) -> str:
        """See `ClaimAdapter.work`."""
        if self._kinds[claim.kind].own_process:
            return await run_in_subprocess(claim.key, self._container.settings)
        return await run_task(self._container, self._context, claim.key, self._kinds)

    def renew(self, claim: ClaimedTask) -> None:
        """See `ClaimAdapter.renew`."""
        with self._context.store.begin() as work:
            work.tasks.renew(claim, self.lease, self._context.clock())

    async def succeed(self, claim: ClaimedTask, result: str) -> None:
        """See `ClaimAdapter.succeed`."""
        await self._finish(claim, "done", result)

    async def hand_back(self, claim: ClaimedTask) -> None:
        """See `ClaimAdapter.hand_back`."""
        await self._release(claim, self._context.clock(), "the worker stops")

    def lose(self, claim: ClaimedTask, reason: str) -> None:
        """See `ClaimAdapter.lose`."""
        extra = {"task": claim.key, "reason": reason}
        log.warning("task lost to another worker", extra=extra)

    async def fail(self, claim: ClaimedTask, error: Exception) -> None:
        """See `ClaimAdapter.fail`."""
        match error:
            case LeaseHeld():
                await self._release(claim, error.lease.until, str(error))
            case RateLimited():
                await self._release(claim, error.retry_at, str(error))
            case CommandRefused():
                await self._finish(claim, "refused", str(error))
            case _:
                await self._fail(claim, error)

    async def _finish(self, claim: ClaimedTask, end: task_answers.End, message: str) -> None:
        now = self._context.clock()
        outcome = message if end == "done" else f"{end}: {message}"

        def finish() -> None:
            with self._context.store.begin() as work:
                again = next_due(work.tasks.plan_of(claim), now)
                work.tasks.finish(claim, now, outcome, again)
                task_answers.put_into_inbox(work, claim, end, message, now)

        log.info("task done", extra={"task": claim.key, "outcome": outcome})
        await put_down(finish)

    async def _release(self, claim: ClaimedTask, due_at: datetime, why: str) -> None:
        def release() -> None:
            with self._context.store.begin() as work:
                work.tasks.release(claim, due_at)

        log.info("task handed back", extra={"task": claim.key, "reason": why, "again_at": due_at})
        await put_down(release)

    async def _fail(self, claim: ClaimedTask, error: Exception) -> None:
        now = self._context.clock()
        for_good = claim.attempts >= MAX_ATTEMPTS
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
            with self._context.store.begin() as work:
                reason = f"{type(error).__name__}: {error}"
                again = when_again(replace(claim, cron=work.tasks.plan_of(claim)), now)
                work.tasks.fail(claim, reason, now, again, for_good=for_good)
                if for_good:
                    task_answers.put_into_inbox(work, claim, "given up", "", now)

        await put_down(fail)


def when_again(claim: ClaimedTask, now: datetime) -> datetime | None:
    """When a task that failed runs again: later and later, then when it comes round."""
    if claim.attempts >= MAX_ATTEMPTS:
        return next_due(claim.cron, now)
    return now + backoff(FIRST_PAUSE, claim.attempts - 1, MAX_PAUSE)
