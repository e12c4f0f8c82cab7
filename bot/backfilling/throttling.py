"""Long work on GitHub that can wait: a second between writes, every rate limit sat out.

Whoever else writes on an issue at the moment is waited for, and what changed between a look and its
write, or was lost on the way, is looked at again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.errors import SnapshotOutdated
from bot.github.errors import RateLimited, Unreachable
from bot.labelling.issue_lease import BUSY_FOR, IssueBusy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

T = TypeVar("T")

BETWEEN_WRITES = 1.0
"""Seconds: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
asks for at least one between requests that change something."""


MAX_FAILURES = 4
"""Of one piece of work, from which on it is no chance."""


def _unheard(_: datetime) -> None:
    """Nobody wants to know how long it waits."""


@dataclass(frozen=True)
class Throttled:
    """How long work takes its time.

    :ivar clock: aware datetimes.
    :ivar sleep: takes seconds.
    :ivar waiting: told until when GitHub's rate limit makes it wait.
    """

    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    waiting: Callable[[datetime], None] = _unheard

    async def see_through(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, as often as a rate limit or another writer forbids it.

        :param act: may be done again from the beginning.
        :raises Unreachable, LookAgain: so often that it is no chance any more.
        """
        failed = 0
        while True:
            try:
                return await act()
            except RateLimited as limited:
                self.waiting(limited.retry_at)
                await self.sleep(max((limited.retry_at - self.clock()).total_seconds(), 1.0))
            except IssueBusy:
                await self.sleep(BUSY_FOR.total_seconds())
            except (Unreachable, SnapshotOutdated):
                failed += 1
                if failed >= MAX_FAILURES:
                    raise
                await self.sleep(float(2**failed))

    async def after_a_write(self) -> None:
        await self.sleep(BETWEEN_WRITES)
