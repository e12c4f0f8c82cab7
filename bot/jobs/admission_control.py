"""Receiving goes before tagging: while deliveries pour in, a worker in the same process holds back.

Both need Python's lock and the database's. GitHub gives a delivery ten seconds and does not send
it again by itself; an issue that gets its labels half a minute later is no loss to anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 8
"""Arrivals within `WINDOW` that make a burst: below, both fit beside each other."""

WINDOW = 0.25
"""Seconds: short, so that a burst is noticed before much has been taken in hand."""

REST = 2.0
"""Seconds between two pieces of work during a burst: each slows half a dozen answers down."""


class AdmissionControl:
    """Counts arrivals. `arrived` may be called from any thread.

    :param clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._arrivals: deque[float] = deque(maxlen=MANY)

    def arrived(self) -> None:
        """One more came in."""
        self._arrivals.append(self._clock())

    @property
    def on(self) -> bool:
        """Whether as many came in as make a burst."""
        latest = self._arrivals
        return len(latest) == MANY and self._clock() - latest[0] < WINDOW

    def room(self, at_once: int) -> int:
        """How many pieces of work may be in hand."""
        return 1 if self.on else at_once

    async def hold_back(self, stopping: asyncio.Event) -> None:
        """Rest during a burst, unless all is to stop; outside of one, do nothing."""
        if self.on:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), REST)
