"""Bodies that are held open take no room from those that arrive."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.service import body_budget
from bot.service.body_budget import SMALL, BodyBudget, NoRoom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.service.body_budget import BodyShare

pytestmark = pytest.mark.anyio
ROOM = 10 * SMALL


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    for name, seconds in {
        "STANDING_STILL": 0.1,
        "LINGERING": 0.05,
        "BODY_SECONDS": 0.5,
        "LOOK_AGAIN": 0.01,
    }.items():
        monkeypatch.setattr(body_budget, name, seconds)


@asynccontextmanager
async def body(budget: BodyBudget, length: int) -> AsyncIterator[BodyShare]:
    """A body of which so much has arrived."""
    async with budget.share() as share, share.reading():
        await share.cover(length)
        yield share


async def held_open(budget: BodyBudget, length: int) -> None:
    async with body(budget, length):
        await asyncio.sleep(60)


async def all_ended(bodies: list[asyncio.Task[None]]) -> None:
    outcomes = await asyncio.gather(*bodies, return_exceptions=True)
    assert {type(one) for one in outcomes} <= {TimeoutError, NoRoom}


async def test_what_a_body_took_is_free_once_it_is_answered() -> None:
    budget = BodyBudget(ROOM, reserved=0)
    for _ in range(100):
        async with body(budget, 5 * SMALL) as share:
            share.settle(1)


async def test_a_body_that_is_too_slow_is_ended() -> None:
    with pytest.raises(TimeoutError):
        await held_open(BodyBudget(ROOM), 1)


async def test_a_small_body_finds_room_beside_large_ones_held_open() -> None:
    budget = BodyBudget(ROOM, reserved=SMALL)
    large = [asyncio.create_task(held_open(budget, 4 * SMALL)) for _ in range(5)]
    await asyncio.sleep(0)
    async with asyncio.timeout(0.03), body(budget, 100):
        pass
    await all_ended(large)


async def test_a_small_body_finds_room_beside_any_number_of_small_ones_held_open() -> None:
    budget = BodyBudget(ROOM, reserved=0)
    small = [asyncio.create_task(held_open(budget, SMALL)) for _ in range(200)]
    await asyncio.sleep(0.02)
    for _ in range(10):
        async with asyncio.timeout(0.2), body(budget, 100) as share:
            share.settle(100)
    await all_ended(small)


async def test_a_large_body_finds_room_beside_large_ones_that_stand_still() -> None:
    budget = BodyBudget(ROOM, reserved=0)
    large = [asyncio.create_task(held_open(budget, 4 * SMALL)) for _ in range(2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(0.3), body(budget, 5 * SMALL):
        pass
    await all_ended(large)


async def test_large_bodies_that_arrive_steadily_wait_for_each_other_and_none_is_cut_off() -> None:
    budget, whole = BodyBudget(ROOM, reserved=0), []

    async def arrive() -> None:
        async with body(budget, 4 * SMALL) as share:
            for length in range(0, 4 * SMALL, SMALL // 4):
                share.arrived(length)
                await asyncio.sleep(0.008)
            whole.append(share)

    await asyncio.gather(*(arrive() for _ in range(4)))
    assert len(whole) == 4


async def test_where_no_room_comes_free_in_time_that_is_said() -> None:
    budget = BodyBudget(ROOM, reserved=0)
    async with budget.share() as share:
        async with share.reading():
            await share.cover(9 * SMALL)
        share.settle(9 * SMALL)
        with pytest.raises(NoRoom):  # a whole body is stored, and not cut off any more
            await held_open(budget, 2 * SMALL)
        assert not share.is_cut
    async with body(budget, 9 * SMALL):  # nothing was lost on the way
        pass
