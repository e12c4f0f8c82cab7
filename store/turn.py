"""Whose turn it is to write: threads queue, and whoever must not be kept waiting goes first.

`threading.Lock` serves nobody in order. Under load a thread that writes often takes the lock anew
before one that slept is awake; with eight deliveries in hand waits of seconds were measured.
"""

from __future__ import annotations

import threading
from collections import deque


class Turn:
    """A lock that is handed from holder to holder, first come, first served."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._urgent: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def acquire(self, timeout: float, *, urgent: bool = False) -> bool:
        """Wait for the turn; False: it did not come within so many seconds.

        :param urgent: go before all that are not.
        """
        waiting = self._urgent if urgent else self._others
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            own = threading.Lock()
            own.acquire()
            waiting.append(own)
        if own.acquire(timeout=timeout):
            return True
        with self._mutex:
            if own in waiting:
                waiting.remove(own)
                return False
        return True  # it came in this very moment

    def release(self) -> None:
        """Hand the turn to whoever is next."""
        with self._mutex:
            if waiting := self._urgent or self._others:
                waiting.popleft().release()
            else:
                self._held = False
