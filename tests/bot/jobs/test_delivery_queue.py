"""The worker: leases, repeats with growing pauses, giving up with a reason, and stopping well."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import REPO
from hypothesis import given
from hypothesis import strategies as st

from bot.github.errors import RateLimited, Unreachable
from bot.jobs.delivery_queue import LONG_PATIENCE, MAX_ATTEMPTS, DeliveryLimits, when_again
from bot.jobs.worker_pool import WorkerThread
from store.errors import StoreBusy

if TYPE_CHECKING:
    from bot.receiving.handler_context import Ending

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHADOW = "delay_seconds: 0\n"


@given(st.integers(1, MAX_ATTEMPTS - 1))
def test_pauses_grow_until_it_is_given_up(attempts) -> None:
    first = when_again(ValueError(), attempts, NOW, NOW)
    later = when_again(ValueError(), attempts + 1, NOW, NOW)
    assert first is not None
    assert first > NOW
    assert later is None if attempts + 1 >= MAX_ATTEMPTS else later > first


def test_a_rate_limit_is_respected_to_the_second_and_never_given_up_for() -> None:
    reset = NOW + timedelta(minutes=40)
    error = RateLimited("GET /x", reset, "primary")
    assert when_again(error, 50, NOW, NOW) == reset


def test_github_being_away_is_waited_for_three_days() -> None:
    error = Unreachable("GET /x", "timeout", NOW, attempts=4, may_have_happened=False)
    assert when_again(error, 30, NOW, NOW) == NOW + timedelta(hours=1)
    assert when_again(error, 30, NOW - LONG_PATIENCE, NOW) is None


async def test_what_fails_runs_again_and_is_given_up_with_its_reason(bench) -> None:
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)

    async def broken(*_: object) -> Ending:
        raise ValueError("a bug of ours")

    worker = bench.worker(job=broken)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        bench.clock.advance(hours=1)
        assert await worker.work_one()
        delivery = bench.delivery(opened)
        assert delivery.attempts == attempt
    assert delivery.state == "failed"
    assert delivery.error == "ValueError: a bug of ours"
    bench.clock.advance(hours=5)
    assert not await worker.work_one()


async def test_a_dead_workers_delivery_runs_again_once_its_lease_ran_out(bench) -> None:
    bench.configure(SHADOW)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    assert bench.worker(name="dead")._claim() is not None
    assert await bench.work() == 0
    bench.clock.advance(minutes=3)
    assert await bench.work() == 1
    assert bench.delivery(opened).attempts == 2
    assert len(bench.predictions()) == 1


async def test_a_lease_is_renewed_while_the_work_goes_on(bench, monkeypatch) -> None:
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    renewed = asyncio.Event()

    async def long(context, claim) -> Ending:
        bench.clock.advance(seconds=30)
        await asyncio.wait_for(renewed.wait(), 20)
        assert bench.delivery(opened).lease_until > claim.lease_until
        return await context.finish(claim)

    worker = bench.worker(DeliveryLimits(lease=timedelta(seconds=3)), job=long)
    renew, loop = worker.renew, asyncio.get_running_loop()

    def counting_renewals(claim) -> None:
        renew(claim)
        loop.call_soon_threadsafe(renewed.set)

    monkeypatch.setattr(worker, "renew", counting_renewals)
    assert await worker.work_one()
    assert bench.delivery(opened).state == "done"


async def test_a_worker_that_lost_its_lease_records_nothing(bench) -> None:
    bench.configure(SHADOW)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    other = bench.worker(name="other")

    def slow(_: str) -> None:
        bench.clock.advance(minutes=3)
        assert other._claim() is not None

    bench.release.before_tagging = slow
    assert await bench.worker(name="slow").work_one()
    delivery = bench.delivery(opened)
    assert (delivery.state, delivery.claimed_by) == ("running", "other")
    assert bench.predictions() == ()


async def test_stopping_lets_the_work_in_hand_end(bench) -> None:
    bench.configure(SHADOW)
    first, second = (bench.github.open_issue(REPO, "a bug") for _ in range(2))
    bench.receive_all()
    worker = bench.worker(DeliveryLimits(at_once=1))
    loop = asyncio.get_running_loop()
    bench.release.before_tagging = lambda _: loop.call_soon_threadsafe(worker.stop)
    await worker.run()
    assert [bench.delivery(one).state for one in (first, second)] == ["done", "pending"]


async def test_what_does_not_end_in_time_is_handed_back(bench) -> None:
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)

    async def endless(*_: object) -> Ending:
        worker.stop()
        await asyncio.Event().wait()
        raise AssertionError

    worker = bench.worker(DeliveryLimits(grace=timedelta(0)), job=endless)
    await worker.run()
    delivery = bench.delivery(opened)
    assert (delivery.state, delivery.attempts) == ("pending", 0)


async def test_a_busy_database_stops_no_worker(bench, monkeypatch) -> None:
    bench.configure(SHADOW)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    worker = bench.worker(DeliveryLimits(poll=timedelta(0)))
    real, times = bench.context.store.read, iter(range(3))

    def sometimes():
        if next(times, None) is not None:
            raise StoreBusy("locked")
        return real()

    monkeypatch.setattr(bench.context.store, "read", sometimes)
    loop = asyncio.get_running_loop()
    bench.release.before_tagging = lambda _: loop.call_soon_threadsafe(worker.stop)
    await worker.run()
    assert bench.delivery(opened).state == "done"


async def test_a_mistake_of_ours_stops_no_worker(bench, monkeypatch) -> None:
    bench.configure(SHADOW)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    worker = bench.worker(DeliveryLimits(poll=timedelta(0)))
    real, times = worker._claim, iter(range(2))

    def sometimes():
        if next(times, None) is not None:
            raise RuntimeError("not foreseen")
        return real()

    monkeypatch.setattr(worker, "_claim", sometimes)
    bench.release.before_tagging = lambda _: worker.stop()
    await worker.run()
    assert bench.delivery(opened).state == "done"


async def test_a_promotion_is_noticed_between_two_deliveries(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.releases.promote(bench.installation.store, "r2", ("docs",), bench.clock())
    await bench.deliver(bench.github.open_issue(REPO, "bug in docs"))
    assert bench.labels(2) == ["docs"]
    assert bench.releases.opened == ["r1", "r2"]
    with bench.installation.store.begin() as work:
        work.releases.rollback(work.repositories.get(REPO).id, bench.clock())
    await bench.deliver(bench.github.open_issue(REPO, "bug in docs"))
    assert bench.labels(3) == ["bug", "docs"]


async def test_a_damaged_release_fails_the_delivery_and_loses_nothing(bench) -> None:
    from tagger.errors import ReleaseDamaged

    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    bench.clock.advance(seconds=121)
    good = dict(bench.releases.by_folder)
    bench.releases.by_folder.clear()
    bench.installation.cache._open = _raiser(ReleaseDamaged)
    await bench.work()
    delivery = bench.delivery(opened)
    assert delivery.state == "pending"
    assert "rollback" in delivery.error
    bench.releases.by_folder.update(good)
    bench.installation.cache._open = bench.releases
    bench.clock.advance(minutes=1)
    await bench.work()
    assert bench.delivery(opened).state == "done"


def _raiser(kind):
    def opener(folder):
        raise kind(folder, "a file is missing")

    return opener


async def test_the_thread_works_what_comes_in_and_stops(bench) -> None:
    bench.configure(SHADOW)
    opened = bench.github.open_issue(REPO, "a bug")
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    class _Telling:
        def __init__(self, cache) -> None:
            self.cache = cache

        def warm(self) -> None:
            self.cache.warm()

        def active(self, repository_id, target):
            loop.call_soon_threadsafe(done.set)
            return self.cache.active(repository_id, target)

    bench.installation.cache = _Telling(bench.installation.cache)
    thread = WorkerThread(bench.installation, DeliveryLimits(poll=timedelta(hours=1)))
    bench.receive(opened)
    thread.start()
    await asyncio.wait_for(done.wait(), 20)
    assert thread.alive
    assert thread.warm
    assert bench.release.warmed_up == 1
    await asyncio.to_thread(thread.stop)
    assert not thread.alive
    assert bench.delivery(opened).state == "done"


async def test_a_context_is_made_anew_even_if_credentials_come_while_the_first_is_made(
    bench, monkeypatch
) -> None:
    container = bench.installation
    thread = WorkerThread(container, DeliveryLimits(poll=timedelta(hours=1)))
    contexts_made, second = 0, asyncio.Event()
    loop, make = asyncio.get_running_loop(), container.context

    def context():
        nonlocal contexts_made
        contexts_made += 1
        made = make()
        if contexts_made == 1:
            thread.reopen()  # before there is a pool that could be stopped
        else:
            loop.call_soon_threadsafe(second.set)
        return made

    monkeypatch.setattr(container, "context", context)
    thread.start()
    await asyncio.wait_for(second.wait(), 20)
    await asyncio.to_thread(thread.stop)


async def test_work_stops_before_a_lease_that_cannot_be_renewed_runs_out(
    bench, monkeypatch
) -> None:
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    ended = asyncio.Event()

    async def endless(*_: object) -> Ending:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    worker = bench.worker(DeliveryLimits(lease=timedelta(seconds=0.5)), job=endless)

    def unreachable(_: object) -> None:
        raise StoreBusy("locked")

    monkeypatch.setattr(worker, "renew", unreachable)
    began = time.monotonic()
    assert await worker.work_one()
    assert ended.is_set()
    assert time.monotonic() - began < 20
    delivery = bench.delivery(opened)
    assert (delivery.state, delivery.attempts) == ("running", 1)  # its lease runs out by itself
