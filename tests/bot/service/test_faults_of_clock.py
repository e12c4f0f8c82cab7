"""The machine's clock jumps: nothing waits for a time that never comes, nothing is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes_bot import REPO

from bot.github.errors import Unreachable
from bot.jobs.delivery_handlers import handle
from bot.jobs.delivery_queue import when_again
from store.errors import LeaseLost

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"
YEAR = timedelta(days=365)


async def test_what_came_while_the_clock_was_a_year_ahead_is_worked_off(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 120\n")
    bench.clock.now += YEAR
    held, waiting = (bench.github.open_issue(REPO, "a bug") for _ in range(2))
    bench.receive(held)
    assert bench.worker(name="dead")._claim() is not None
    bench.receive(waiting)
    bench.clock.now -= YEAR
    await bench.work()
    assert [bench.delivery(one).state for one in (held, waiting)] == ["done", "done"]
    assert bench.labels(1) == bench.labels(2) == ["bug"]


async def test_a_failure_put_down_by_a_wrong_clock_runs_again_by_the_right_one(bench) -> None:
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)

    async def broken(*_: object):
        raise ValueError("a bug of ours")

    bench.clock.now += YEAR
    assert await bench.worker(job=broken).work_one()
    bench.clock.now -= YEAR - timedelta(minutes=5)
    await bench.work()
    assert bench.delivery(opened).state == "done"


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(minutes=90), -timedelta(minutes=90)])
async def test_a_jump_in_the_middle_of_a_job_sets_nothing_twice(bench, jump) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)

    def leap(_: str) -> None:
        bench.release.before_tagging = lambda title: None
        bench.clock.now += jump

    bench.release.before_tagging = leap
    await bench.work()
    bench.clock.advance(minutes=2)
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert [one.event for one in bench.github.issue(REPO, 1).events] == ["labeled"]
    assert len(bench.predictions()) == 1


async def test_a_lease_that_a_leap_ended_goes_to_one_worker_only(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    claim = bench.worker(name="slow")._claim()
    bench.clock.now += YEAR
    await bench.work()
    assert bench.delivery(opened).state == "done"
    with pytest.raises(LeaseLost):
        await handle(bench.context, claim)
    assert [one.event for one in bench.github.issue(REPO, 1).events] == ["labeled"]


async def test_a_configuration_read_by_a_wrong_clock_is_read_again(bench) -> None:
    bench.configure("mode: shadow\ndelay_seconds: 0\n")
    bench.clock.now += YEAR
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    bench.clock.now -= YEAR
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == ["bug"]


def test_a_leap_ahead_ends_nobodys_patience(clock) -> None:
    error = Unreachable("GET /x", "timeout", clock(), attempts=4, may_have_happened=False)
    assert when_again(error, 1, clock() - YEAR, clock()) is not None


async def test_nobody_is_silent_for_less_than_no_time(bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    bench.clock.now -= YEAR
    installation = bench.installation
    text = installation.metrics.exposition(installation.store, bench.clock()).decode()
    assert "issue_tagger_silent_seconds 0.0" in text
