"""Long work on GitHub that can wait: a second between writes, and every rate limit sat out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.github.errors import RateLimited

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

T = TypeVar("T")

BETWEEN_WRITES = 1.0
"""Seconds: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
asks for at least one between requests that change something."""


def _unheard(_: datetime) -> None:
    """Nobody wants to know how long it waits."""


@dataclass(frozen=True)
class Unhurried:
    """How long work takes its time.

    :ivar clock: aware datetimes.
    :ivar sleep: takes seconds.
    :ivar waiting: told until when GitHub's rate limit makes it wait.
    """

    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    waiting: Callable[[datetime], None] = _unheard

    async def see_through(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, as often as a rate limit forbids it.

        :param act: may be done again from the beginning.
        """
        while True:
            try:
                return await act()
            except RateLimited as limited:
                self.waiting(limited.retry_at)
                await self.sleep(max((limited.retry_at - self.clock()).total_seconds(), 1.0))

    async def after_a_write(self) -> None:
        await self.sleep(BETWEEN_WRITES)
