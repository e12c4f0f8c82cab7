"""What is old goes, what is unfinished or needed stays."""

from __future__ import annotations

import pytest
from fakes_bot import REPO

from bot.configuration import RepositoryConfiguration
from bot.erasure import retention
from bot.erasure.retention import Forgotten, forget_old
from bot.jobs.task_kinds import KINDS, ScheduleContext, TaskRun

pytestmark = pytest.mark.anyio
SHADOW = "delay_seconds: 0\n"


async def test_payloads_go_after_a_week_and_deliveries_after_a_quarter(bench) -> None:
    bench.configure(SHADOW)
    done = bench.github.open_issue(REPO, "a bug")
    await bench.deliver(done)
    waiting = bench.github.open_issue(REPO, "a bug")
    bench.receive(waiting)
    bench.clock.advance(days=6)
    assert forget_old(bench.installation) == Forgotten(payloads=0, deliveries=0)
    bench.clock.advance(days=2)
    assert forget_old(bench.installation) == Forgotten(payloads=1, deliveries=0)
    assert bench.delivery(done).payload is None
    assert bench.delivery(waiting).payload == waiting.payload
    assert not bench.receive(done)
    bench.clock.advance(days=90)
    assert forget_old(bench.installation) == Forgotten(payloads=0, deliveries=1)
    assert bench.delivery(waiting).state == "pending"
    assert len(bench.predictions()) == 1
    await bench.work()
    assert bench.delivery(waiting).state == "done"


async def test_a_great_many_go_in_small_transactions(bench, monkeypatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    bench.github.open_issue(REPO, "a bug")
    for _ in range(5):
        assert bench.receive(bench.github.comment(REPO, 1, "me too", by="ada"))
    bench.clock.advance(days=8)
    assert forget_old(bench.installation) == Forgotten(payloads=5, deliveries=0)
    bench.clock.advance(days=90)
    assert forget_old(bench.installation) == Forgotten(payloads=0, deliveries=5)


async def test_it_comes_round_every_night_once_for_the_whole_installation(bench) -> None:
    kind = KINDS["forget"]
    assert not kind.of_repository
    settings = bench.installation.settings
    given = ScheduleContext(settings, RepositoryConfiguration.absent(), None)
    assert kind.cron(given) == "17 3 * * *"
    bench.github.open_issue(REPO, "a bug")
    bench.receive(bench.github.comment(REPO, 1, "me too", by="ada"))
    bench.clock.advance(days=8)
    said = await kind.run(TaskRun(bench.installation, bench.context, None))
    assert said == "1 payloads and 0 deliveries dropped"
