"""A budget of bytes for all bodies in flight, so that open connections cannot fill the memory.

Whether a body is GitHub's is known once it is there, so until then it has to be held. Each takes
what it announces before it is read; had it to ask for more on the way, bodies could wait for each
other. Who holds one open costs the others nothing: where room is short, bodies that stand still
are cut off, and for a small one, as nearly all deliveries are, the oldest are. GitHub sends a
delivery in some milliseconds; to crowd it out takes a flood, and a flood is a proxy's to stop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MIB = 1024 * 1024
MOST_BYTES = 48 * MIB
RESERVED = 16 * MIB
"""For bodies of at most `SMALL`, which large ones must not hold up."""
SMALL = MIB
AHEAD = MIB // 8
"""How much of a body the server may have read that was not asked for yet."""
STANDING_STILL = 0.5
"""Seconds in which less than `AHEAD` arrived."""
LINGERING = 0.25
"""Seconds after which a body may be cut off for a small one."""
BODY_SECONDS = 10.0
"""From the first byte to the last; GitHub itself waits no longer."""
LOOK_AGAIN = 0.05
MAX_WAITING = 32
"""Bodies for which there is no room yet: the server has read the beginning of each."""


class NoRoom(Exception):
    """The body could not be taken for lack of room; what was read of it is to be dropped."""


class BodyShare:
    """What one body takes of the budget; see `BodyBudget.share`."""

    def __init__(self, budget: BodyBudget) -> None:
        self.size = 0
        self.began = asyncio.get_running_loop().time()
        self.is_cut = False
        self._moved, self._arrived = self.began, 0
        self._waits = False
        self._budget = budget
        self._deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """While the body is being read.

        :raises NoRoom: no room came free in time, or this body was in the way of others.
        :raises TimeoutError: it did not arrive in time.
        """
        try:
            async with asyncio.timeout(BODY_SECONDS) as self._deadline:
                yield
        except TimeoutError:
            if self.is_cut or self._waits:
                raise NoRoom from None
            raise
        finally:
            self._deadline = None

    async def cover(self, length: int) -> None:
        """Wait until there is room for a body of so many bytes, before more of it is read."""
        wanted = length + min(length, AHEAD)
        if wanted <= self.size:
            return
        self._waits = True
        await self._budget.take(self, wanted - self.size)
        self.size, self._waits = wanted, False
        self._moved = asyncio.get_running_loop().time()

    def arrived(self, length: int) -> None:
        """So much of the body is there by now."""
        if length - self._arrived >= AHEAD:
            self._arrived, self._moved = length, asyncio.get_running_loop().time()

    def settle(self, length: int) -> None:
        """The body is whole, and is so long: what it does not need is free again."""
        self._budget.give_back(self.size - length)
        self.size = length

    def cut(self) -> None:
        """Have the reader stop at once."""
        if self._deadline is not None and not self.is_cut:
            self.is_cut = True
            self._deadline.reschedule(0)

    def can_be_cut(self, now: float, *, by_age: bool) -> bool:
        """Whether the body holds room and stands still, or is at least no longer new."""
        if self._deadline is None or self.is_cut or self._waits:
            return False
        return now - self._moved > STANDING_STILL or (by_age and now - self.began > LINGERING)


class _PendingBody(NamedTuple):
    """The smallest comes first, and of those of one size the newest.

    Under attack the line is the attacker's; whoever has stood in it for long may be one.
    """

    size: int
    turn: int
    wanted: int
    room: asyncio.Future[None]

    @property
    def is_small(self) -> bool:
        return self.size <= SMALL + AHEAD


class BodyBudget:
    """What all bodies in flight may take. Belongs to one event loop."""

    def __init__(self, most: int = MOST_BYTES, reserved: int = RESERVED) -> None:
        self._free = most
        self._reserved = reserved
        self._shares: dict[BodyShare, None] = {}
        self._waiting: list[_PendingBody] = []
        self._turns = itertools.count(0, -1)
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def share(self) -> AsyncIterator[BodyShare]:
        """A body's share, given back at the end."""
        share = BodyShare(self)
        self._shares[share] = None
        try:
            yield share
        finally:
            del self._shares[share]
            self.give_back(share.size)

    async def take(self, share: BodyShare, wanted: int) -> None:
        """Take so many bytes more for a share, once they are free.

        :raises NoRoom: too many others wait that come first.
        """
        room = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._waiting, _PendingBody(share.size + wanted, next(self._turns), wanted, room)
        )
        self._grant()
        if not room.done():
            self._turn_away()
            self._make_room()
        try:
            await room
        except asyncio.CancelledError:
            if room.done() and not room.cancelled() and room.exception() is None:
                self.give_back(wanted)  # it was granted in this very moment
            raise

    def give_back(self, size: int) -> None:
        """So much is free again."""
        self._free += size
        self._grant()

    def _grant(self) -> None:
        while (first := self._first()) is not None and first.wanted <= self._free_for(first):
            heapq.heappop(self._waiting)
            self._free -= first.wanted
            first.room.set_result(None)

    def _first(self) -> _PendingBody | None:
        while self._waiting and self._waiting[0].room.done():
            heapq.heappop(self._waiting)
        return self._waiting[0] if self._waiting else None

    def _turn_away(self) -> None:
        self._waiting = sorted(body for body in self._waiting if not body.room.done())
        for last in self._waiting[MAX_WAITING:]:
            last.room.set_exception(NoRoom)
        del self._waiting[MAX_WAITING:]

    def _free_for(self, waiting: _PendingBody) -> int:
        return self._free if waiting.is_small else self._free - self._reserved

    def _make_room(self) -> None:
        """Cut off what is in the way of the first in line, now and as long as somebody waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, first = None, self._first()
        if first is None:
            return
        missing = first.wanted - self._free_for(first)
        missing -= sum(share.size for share in self._shares if share.is_cut)
        for share in self._in_the_way(first):
            if missing <= 0:
                break
            share.cut()
            missing -= share.size
        self._timer = asyncio.get_running_loop().call_later(LOOK_AGAIN, self._make_room)

    def _in_the_way(self, first: _PendingBody) -> Iterator[BodyShare]:
        """Bodies that stand still, then, for a small one, the oldest."""
        now = asyncio.get_running_loop().time()
        for by_age in (False, True) if first.is_small else (False,):
            yield from (
                share for share in list(self._shares) if share.can_be_cut(now, by_age=by_age)
            )
