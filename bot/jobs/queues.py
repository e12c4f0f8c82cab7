"""A queue: one kind of work, how much of it a worker does at once, and how it is taken up.

What waits in a queue is known by the database and by nothing else; names are those of the rows
(a delivery's GUID, a task's key). To claim is to own: two workers never hold the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Queue(Protocol):
    """What `JobSource` need of a queue. Both implementations of `JobSource` share every queue."""

    name: str
    at_once: int
    signals: Signals

    async def claim(self, name: str | None = None) -> Any:
        """Own a piece of work that is due; None: there is none to be had.

        :param name: this one, unless the queue has an order of its own.

        :raises StoreUnavailable: the database could not be asked.
        """

    async def see_through(self, claim: Any) -> None:
        """Do it and put down what came of it, whatever that is; raises nothing of its own."""

    def due(self, now: datetime) -> Sequence[str]:
        """Names of what waits for a worker now. Blocks."""

    def following(self, claim: Any) -> str | None:
        """What could not begin before this claim ended, and now can. Blocks."""


class JobSource(Protocol):
    """How workers come by their work: `in_process`, or an engine on PostgreSQL (`engine`)."""

    def put(self, queue: str, name: str, due_at: datetime | None = None) -> None:
        """Tell of work that has been stored. Callable from any thread, never blocks.

        A mere hint: what is lost of it is found by looking into the database.
        """

    async def run(self, queues: Sequence[Queue]) -> None:
        """Work in these queues until all of them were told to stop."""

    def close(self) -> None:
        """Let go of connections and threads."""


class Signals:
    """How a queue is woken and stopped; both within its event loop."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.woken = asyncio.Event()

    def stop(self) -> None:
        """Take nothing further; what is in hand is finished or handed back."""
        self.stopping.set()
        self.woken.set()

    def wake(self) -> None:
        """Look for work now."""
        self.woken.set()

    async def idle(self, seconds: float) -> None:
        """Wait to be woken, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), seconds)
        self.woken.clear()


def worker_name() -> str:
    """Tells workers apart; a restarted one is another one."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
