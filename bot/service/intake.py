"""Stores deliveries from one thread, those that wait together in one transaction.

A commit waits for the disk; while it does, further deliveries gather, and the next commit takes
all of them. None is answered before the commit that holds it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.receiving.deliveries import keep
from store.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.receiving.deliveries import Received
    from store.database import Store

MAX_TOGETHER = 64
MAX_WAITING = 2000
"""More than this and the database is stuck; GitHub is told so and shows the delivery as failed."""


@dataclass(frozen=True)
class _PendingDelivery:
    received: Received
    future: asyncio.Future[bool]
    loop: asyncio.AbstractEventLoop

    def resolve(self, outcome: bool | Exception) -> None:
        self.loop.call_soon_threadsafe(self._set, outcome)

    def _set(self, outcome: bool | Exception) -> None:
        if self.future.done():  # whoever waited has gone away
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Intake:
    """:param own_login: tells the bot's login, None while GitHub has not told it yet."""

    def __init__(self, store: Store, own_login: Callable[[], str | None]) -> None:
        self._store = store
        self._own_login = own_login
        self._queue: queue.Queue[_PendingDelivery | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin to take in."""
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    async def accept(self, received: Received) -> bool:
        """Store a delivery; False: it was known already. Returns once it is on the disk.

        :raises StoreError: it could not be stored.
        """
        loop = asyncio.get_running_loop()
        waiting = _PendingDelivery(received, loop.create_future(), loop)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise StoreBusy(
                f"{MAX_WAITING} deliveries wait to be stored already; try again later"
            ) from None
        return await waiting.future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = self._gather(first)
            self._store_all(batch)
            if last:
                return

    def _gather(self, first: _PendingDelivery) -> tuple[list[_PendingDelivery], bool]:
        """All that waits by now, and whether the end was among it."""
        batch = [first]
        while len(batch) < MAX_TOGETHER:
            try:
                pending_delivery = self._queue.get_nowait()
            except queue.Empty:
                break
            if pending_delivery is None:
                return batch, True
            batch.append(pending_delivery)
        return batch, False

    def _store_all(self, batch: Sequence[_PendingDelivery]) -> None:
        try:
            outcomes = self._commit(batch)
        except Exception as error:
            if len(batch) == 1:
                batch[0].resolve(error if isinstance(error, StoreError) else _unexpected(error))
                return
            for waiting in batch:  # one of them is to blame: the others must not suffer
                self._store_all([waiting])
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.resolve(outcome)

    def _commit(self, batch: Sequence[_PendingDelivery]) -> list[bool]:
        own_login = self._own_login()
        with self._store.begin(urgent=True) as work:
            return [keep(work, waiting.received, own_login) for waiting in batch]


def _unexpected(error: Exception) -> StoreError:
    wrapped = StoreError(f"the delivery could not be stored: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
