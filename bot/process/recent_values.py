"""Values that were read a moment ago, where reading them anew each time would take too long."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

T = TypeVar("T")

REMEMBERED = 200
"""Values held at most; the one read longest ago goes first."""


class RecentValues(Generic[T]):
    """Thread-safe. Two threads that need a value at once may both read it.

    :param lasts: for how long a value is good enough.
    """

    def __init__(self, lasts: timedelta = timedelta(seconds=30)) -> None:
        self._lasts = lasts
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[datetime, T]] = OrderedDict()

    def get(
        self, key: Hashable, now: datetime, read: Callable[[], T], worth: Callable[[T], bool]
    ) -> T:
        """The value, read unless it was a moment ago.

        :param worth: whether a value that was read is to be held: one that is read at once is not.
        """
        with self._lock:
            held = self._values.get(key)
        if held is not None and timedelta() <= now - held[0] < self._lasts:
            return held[1]
        value = read()
        with self._lock:
            self._values.pop(key, None)
            if worth(value):
                self._values[key] = now, value
            while len(self._values) > REMEMBERED:
                self._values.popitem(last=False)
        return value
