"""A lease is renewed while its holder lives, and its holder learns when it is another's."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from bot.process.lease_keeper import LeaseKeeper
from store.errors import LeaseLost, StoreBusy

LEASE = timedelta(seconds=1)

pytestmark = pytest.mark.anyio


class Renewals:
    """What the database answers, renewal by renewal; the last answer goes on."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> None:
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if answer is not None:
            raise answer


def test_it_is_renewed_at_a_third_of_its_length_until_the_block_ends() -> None:
    renewals = Renewals(None)
    with LeaseKeeper(renewals, LEASE) as keeper:
        time.sleep(1.5)
        assert not keeper.is_lost
    count = renewals.count
    assert 2 <= count <= 5
    time.sleep(0.5)
    assert renewals.count == count


def test_a_lease_of_which_little_is_left_is_renewed_in_time() -> None:
    with LeaseKeeper(Renewals(None), timedelta(seconds=30), timedelta(seconds=3.3)) as keeper:
        time.sleep(0.6)
        assert not keeper.is_lost
        time.sleep(0.1)
        assert keeper._seconds_left > 20


def test_a_database_that_comes_back_in_time_costs_nothing() -> None:
    renewals = Renewals(StoreBusy("locked"), StoreBusy("locked"), None)
    with LeaseKeeper(renewals, timedelta(seconds=1)) as keeper:
        time.sleep(1.3)
        assert not keeper.is_lost
    assert renewals.count >= 3


def test_one_that_is_anothers_is_not_asked_for_again() -> None:
    renewals = Renewals(LeaseLost("it", "me", what="the lease on"))
    with LeaseKeeper(renewals, LEASE) as keeper:
        time.sleep(0.5)
        assert keeper.was_taken_over
        assert keeper.is_lost
    assert renewals.count == 1


@pytest.mark.parametrize(
    ("hangs", "error"),
    [(False, StoreBusy("locked")), (True, StoreBusy("locked")), (False, RuntimeError("a mistake"))],
)
async def test_whoever_waits_learns_of_it_before_it_runs_out(hangs, error) -> None:
    end = threading.Event()

    def renew() -> None:
        if hangs:
            end.wait(5)
        raise error

    began = time.monotonic()
    async with LeaseKeeper(renew, LEASE) as keeper:
        await asyncio.wait_for(keeper.until_lost(), 5)
    assert time.monotonic() - began < LEASE.total_seconds()
    assert not keeper.was_taken_over
    end.set()


async def test_whoever_waits_learns_at_once_that_it_was_taken_over() -> None:
    began = time.monotonic()
    lost = LeaseLost("it", "me", what="the lease on")
    async with LeaseKeeper(Renewals(lost), timedelta(seconds=60), timedelta(seconds=3.1)) as keeper:
        await asyncio.wait_for(keeper.until_lost(), 55)
    assert time.monotonic() - began < 50
