"""Keeping a lease while a block runs, and noticing when it could not be kept."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from store.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from typing import Self

log = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews a lease from a thread of its own, at a third of its length, while a block runs.

    Threads that are shared may all be waiting for the database with the very work that the lease
    is for. `with` waits for a renewal under way when it ends; `async with` does not, lest the event
    loop stand still with the database.

    :param renew: blocks; raises LeaseLost where the lease is another's by now.
    :param left: of the lease that is held, where that is less than all of it.
    """

    def __init__(
        self, renew: Callable[[], object], lease: timedelta, left: timedelta | None = None
    ) -> None:
        self._renew = renew
        self._lease = lease.total_seconds()
        self._until = time.monotonic() + (lease if left is None else left).total_seconds()
        self._ended = threading.Event()
        self._taken_over: Future[None] = Future()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()

    @property
    def was_taken_over(self) -> bool:
        """Whether a renewal found that the lease is another's."""
        return self._taken_over.done()

    @property
    def is_lost(self) -> bool:
        """Whether it is another's, or so close to its end that it may be at any moment."""
        return self.was_taken_over or self._seconds_left <= 0

    async def until_lost(self) -> None:
        """Return a little before the lease runs out, or once it is another's.

        Whoever must not do at once what another does as well stops then.
        """
        taken_over = asyncio.wrap_future(self._taken_over)
        while not self.is_lost:
            await asyncio.wait([taken_over], timeout=self._seconds_left)

    @property
    def _seconds_left(self) -> float:
        return self._until - self._lease / 10 - time.monotonic()

    def _keep(self) -> None:
        pause = min(self._lease / 3, max(self._seconds_left, 0.0))
        while not self._ended.wait(pause):
            began = time.monotonic()
            try:
                self._renew()
            except LeaseLost:
                self._taken_over.set_result(None)
                return
            except Exception as error:
                # the database may be back before the lease runs out; what else it is, it is tried
                # again as well, for without a renewal whoever waits is told in time
                expected = isinstance(error, StoreUnavailable)
                log.warning(
                    "a lease was not renewed",
                    exc_info=None if expected else error,
                    extra={"reason": str(error)},
                )
                pause = self._lease / 20
            else:
                self._until = began + self._lease
                pause = self._lease / 3
