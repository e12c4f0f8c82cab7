"""Tasks: planned by configuration, once however long nobody worked, repeated, refused, held."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta

import pytest
from fakes_bot import REPO

from bot.errors import CommandRefused
from bot.jobs.child import ChildFailed, run_in_child
from bot.jobs.kinds import KINDS, Kind
from bot.jobs.planning import plan_all
from bot.jobs.tasks import MOST_ATTEMPTS, TRAINING, UPKEEP, TaskLane
from bot.use_cases.configuration import current_configuration
from store.errors import LeaseHeld
from store.task_records import Lease

pytestmark = pytest.mark.anyio
WEEKLY = "delay_seconds: 0\nreport: {schedule: '0 6 * * 1', to: files}\n"
DAILY = "delay_seconds: 0\nreport: {schedule: '0 7 * * *', to: files}\n"
NONE = "delay_seconds: 0\nreport: none\n"


async def configured(bench, text: str) -> None:
    bench.configure(text)
    bench.clock.advance(hours=1)  # what was read is too old by then
    store = bench.installation.store
    with store.read() as work:
        repository = work.repositories.get(REPO)
    client = await bench.desk.access.client(REPO)
    await current_configuration(store, client, repository, bench.clock())
    plan_all(store, bench.installation.settings, bench.clock())


def task(bench, kind: str):
    with bench.installation.store.read() as work:
        return work.tasks.find(kind, work.repositories.get(REPO).id)


async def test_a_report_is_planned_as_the_configuration_says(bench) -> None:
    await configured(bench, WEEKLY)
    planned = task(bench, "report")
    assert planned.cron == "0 6 * * 1"
    assert planned.due_at.strftime("%A %H:%M") == "Monday 06:00"
    assert bench.clock() < planned.due_at < bench.clock() + timedelta(days=7)
    await configured(bench, DAILY)
    assert task(bench, "report").due_at.strftime("%H:%M") == "07:00"
    await configured(bench, NONE)
    assert task(bench, "report").due_at is None


async def test_nothing_is_planned_for_a_repository_that_gave_its_name_away(bench) -> None:
    await configured(bench, WEEKLY)
    store = bench.installation.store
    with store.begin() as work:
        ours = work.repositories.get(REPO)
        for github_id in (1001, 1002):
            work.repositories.get_or_create(REPO, now=bench.clock(), github_id=github_id)
    plan_all(store, bench.installation.settings, bench.clock())
    with store.read() as work:
        assert work.repositories.by_id(ours.id).full_name == f"{REPO}#{ours.id}"
        assert work.tasks.find("report", ours.id).cron is None


async def test_after_weeks_of_downtime_it_runs_once(bench) -> None:
    ran = []

    async def report(errand) -> str:
        ran.append(errand.of_repository.full_name)
        return "written"

    kinds = {"report": Kind(report, KINDS["report"].cron)}
    await configured(bench, WEEKLY)
    bench.clock.advance(days=40)
    lane = TaskLane(UPKEEP, bench.installation, bench.desk, kinds)
    while (claim := await lane.claim()) is not None:
        await lane.see_through(claim)
    assert ran == [REPO]
    done = task(bench, "report")
    assert done.outcome == "written"
    assert bench.clock() < done.due_at <= bench.clock() + timedelta(days=7)


async def test_a_plan_that_changes_while_the_task_runs_holds_from_then_on(bench) -> None:
    async def report(errand) -> str:
        await configured(bench, DAILY)
        return "written"

    await configured(bench, NONE)
    with bench.installation.store.begin() as work:
        repository_id = work.repositories.get(REPO).id
        work.tasks.request("report", repository_id, bench.clock())
    kinds = {"report": Kind(report, KINDS["report"].cron)}
    lane = TaskLane(UPKEEP, bench.installation, bench.desk, kinds)
    await lane.see_through(await lane.claim())
    done = task(bench, "report")
    assert (done.outcome, done.due_at.strftime("%H:%M")) == ("written", "07:00")


@pytest.fixture
def lane_of(bench):
    """A lane with one kind of task, asked for once."""

    def make(run) -> TaskLane:
        kinds = {"chore": Kind(run, lambda _: None, of_repository=False)}
        with bench.installation.store.begin() as work:
            work.tasks.request("chore", None, bench.clock(), by="ada", detail={"number": 7})
        return TaskLane(UPKEEP, bench.installation, bench.desk, kinds)

    return make


def chore(bench):
    with bench.installation.store.read() as work:
        return work.tasks.find("chore")


async def run_one(lane: TaskLane) -> bool:
    claim = await lane.claim()
    if claim is not None:
        await lane.see_through(claim)
    return claim is not None


async def test_what_fails_is_tried_again_and_then_given_up(bench, lane_of) -> None:
    async def broken(_) -> str:
        raise ValueError("a bug of ours")

    lane = lane_of(broken)
    pauses = []
    for _ in range(MOST_ATTEMPTS - 1):
        assert await run_one(lane)
        again = chore(bench).due_at
        pauses.append(again - bench.clock())
        bench.clock.now = again
    assert await run_one(lane)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]
    found = chore(bench)
    assert (found.due_at, found.error) == (None, "ValueError: a bug of ours")


async def test_what_is_refused_is_not_tried_again(bench, lane_of) -> None:
    async def refusing(errand) -> str:
        assert (errand.asked_by, errand.detail) == ("ada", {"number": 7})
        raise CommandRefused("no labels yet")

    assert await run_one(lane_of(refusing))
    found = chore(bench)
    assert (found.outcome, found.due_at) == ("refused: no labels yet", None)


async def test_what_somebody_else_does_is_put_off_until_their_lease_ends(bench, lane_of) -> None:
    until = bench.clock() + timedelta(minutes=5)

    async def held(_) -> str:
        raise LeaseHeld(Lease("the training of a/b", "process 1", bench.clock(), until))

    assert await run_one(lane_of(held))
    found = chore(bench)
    assert (found.due_at, found.attempts) == (until, 0)


async def test_stopping_hands_a_task_back(bench, lane_of) -> None:
    begun = asyncio.Event()

    async def endless(_) -> str:
        begun.set()
        await asyncio.Event().wait()
        return ""

    lane = lane_of(endless)
    lane._grace = timedelta(0)
    running = asyncio.create_task(run_one(lane))
    await asyncio.wait_for(begun.wait(), 20)
    lane.signals.stop()
    assert await asyncio.wait_for(running, 20)
    found = chore(bench)
    assert (found.state, found.attempts, found.due_at) == ("waiting", 0, bench.clock())


async def test_training_has_a_lane_and_a_process_of_its_own(bench) -> None:
    lane = TaskLane(TRAINING, bench.installation, bench.desk)
    assert "retrain" in lane._kinds
    assert "retrain" not in TaskLane(UPKEEP, bench.installation, bench.desk)._kinds


@pytest.mark.slow
async def test_a_child_process_tells_its_parent_what_came_of_it(bench) -> None:
    with bench.installation.store.begin() as work:
        key = work.tasks.request("retrain", work.repositories.get(REPO).id, bench.clock()).key
    with pytest.raises(CommandRefused, match="label"):
        await run_in_child(key, bench.installation.settings)
    broken = bench.installation.settings.model_copy(
        update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    )
    with pytest.raises(ChildFailed, match="its log says why"):
        await run_in_child(key, broken)


@pytest.mark.slow
async def test_a_child_ends_with_its_parent() -> None:
    code = (
        "import threading, time; from bot.jobs.child import _end_with_parent;"
        "threading.Thread(target=_end_with_parent, daemon=True).start(); time.sleep(100)"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE
    )
    try:
        child.stdin.close()
        assert await asyncio.wait_for(child.wait(), 60) == 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
