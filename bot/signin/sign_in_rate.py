"""How often somebody may try to sign in: a few times a minute from one address."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

TRIES = 10
WITHIN = timedelta(minutes=1)
MAX_ADDRESSES = 10_000
"""Addresses remembered; the one that tried longest ago is forgotten first."""


class SignInRate:
    """Counts tries by address. Thread-safe, of bounded size."""

    def __init__(self, tries: int = TRIES) -> None:
        self._tries = tries
        self._by_address: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, now: datetime) -> int:
        """Count a try. Seconds until the next one is heard; 0: this one is."""
        with self._lock:
            times = self._by_address.setdefault(address, deque(maxlen=self._tries))
            self._by_address.move_to_end(address)
            while len(self._by_address) > MAX_ADDRESSES:
                self._by_address.popitem(last=False)
            while times and now - times[0] >= WITHIN:
                times.popleft()
            if len(times) >= self._tries:
                return max(1, int((times[0] + WITHIN - now).total_seconds()))
            times.append(now)
            return 0
