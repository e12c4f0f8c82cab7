"""One writer an issue: the worker, a backfill and an undo hold the same lease while they write.

Two that look at once would each see a free exclusive group, and each set a label of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import BotError
from store.errors import LeaseHeld, LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.receiving.handler_context import HandlerContext
    from store.unit_of_work import UnitOfWork

LEASE = timedelta(minutes=2)
"""How long an issue stays a dead writer's. Renewed right before each write."""
BUSY_FOR = timedelta(seconds=2)
"""After how long it is worth another try."""


class IssueBusy(BotError):
    """Somebody else is about to write on the issue: come back in `BUSY_FOR`, and look anew."""

    def __init__(self, number: int) -> None:
        super().__init__(f"another writer has issue #{number} in hand")


@dataclass
class IssueLease:
    """The right to write on one issue."""

    context: HandlerContext
    name: str
    number: int
    holder: str
    was_ended: bool = field(default=False, init=False)

    def renew(self, work: UnitOfWork) -> None:
        """Have it for a whole `LEASE` from now on; within the unit of work that precedes a write.

        :raises IssueBusy: it ran out, and another has it by now.
        """
        try:
            work.leases.renew(self.name, self.holder, LEASE, self.context.clock())
        except LeaseLost as lost:
            raise IssueBusy(self.number) from lost

    def take(self) -> None:
        """:raises IssueBusy: another has it."""
        try:
            with self.context.store.begin() as work:
                work.leases.take(self.name, self.holder, LEASE, self.context.clock())
        except LeaseHeld as held:
            raise IssueBusy(self.number) from held

    def end(self, work: UnitOfWork) -> None:
        """Give it back within the unit of work that ends the delivery.

        Whoever claims the issue's next delivery then finds the issue free.
        """
        work.leases.give_back(self.name, self.holder)
        self.was_ended = True

    def give_back(self) -> None:
        """Let the next one write; where that fails, the lease runs out."""
        with contextlib.suppress(StoreUnavailable), self.context.store.begin() as work:
            work.leases.give_back(self.name, self.holder)


@asynccontextmanager
async def issue_lease(
    context: HandlerContext, repository_id: int, number: int
) -> AsyncIterator[IssueLease]:
    """Hold an issue for as long as the block lasts.

    :raises IssueBusy: another has it.
    """
    holder = uuid.uuid4().hex
    lease = IssueLease(context, f"issue {repository_id}#{number}", number, holder)
    await asyncio.to_thread(lease.take)
    try:
        yield lease
    except BaseException:  # also what `end` did is undone where its unit of work was
        await asyncio.to_thread(lease.give_back)
        raise
    if not lease.was_ended:
        await asyncio.to_thread(lease.give_back)
