"""Whose turn it is to write: nobody waits for long, and whoever must not wait goes first.

`threading.Lock` serves nobody in order. Under load a thread that writes often takes the lock anew
before one that slept is awake; with eight deliveries in hand waits of seconds were measured. To
hand the turn on each time would end that and cost a third of the writes there can be in a second,
for the next thread must wake up first. So whoever is awake may go first, but only for a while.
"""

from __future__ import annotations

import threading
import time
from collections import deque

LONG_ENOUGH = 0.05
"""Seconds from which a waiting thread gets the turn handed over."""


class _Ticket:
    """A thread's place in the queue."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.given = False
        self.woken = threading.Lock()
        self.woken.acquire()

    def wake(self) -> None:
        if self.woken.locked():
            self.woken.release()


class FairLock:
    """A lock; `acquire` and `release` may be called from different threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._urgent: deque[_Ticket] = deque()
        self._others: deque[_Ticket] = deque()

    def acquire(self, timeout: float, *, urgent: bool = False) -> bool:
        """Wait for the turn; False: it did not come within so many seconds.

        :param urgent: go before all that are not.
        """
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            place = _Ticket()
            queue = self._urgent if urgent else self._others
            queue.append(place)
        while True:
            left = place.since + timeout - time.monotonic()
            place.woken.acquire(timeout=max(left, 0.0))
            with self._mutex:
                if place.given:
                    return True
                if not self._held:
                    self._held = True
                    queue.remove(place)
                    return True
                if time.monotonic() >= place.since + timeout:
                    queue.remove(place)
                    return False

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for the turn."""
        with self._mutex:
            return bool(self._urgent or self._others)

    def release(self) -> None:
        """Let the next one have it: handed over where it is urgent or has waited long enough."""
        with self._mutex:
            queue = self._urgent or self._others
            first = queue[0] if queue else None
            owed = first is not None and (
                queue is self._urgent or time.monotonic() - first.since > LONG_ENOUGH
            )
            if owed:
                queue.popleft().given = True
            else:
                self._held = False
        if first is not None:
            first.wake()
