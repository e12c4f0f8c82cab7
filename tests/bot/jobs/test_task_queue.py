"""Tasks: planned by configuration, once however long nobody worked, repeated, refused, held."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta

import pytest
from fakes_bot import REPO

from bot.configuration.effective import current_configuration
from bot.errors import CommandRefused
from bot.jobs.scheduler import plan_all
from bot.jobs.task_kinds import KINDS, TaskKind
from bot.jobs.task_queue import MAX_ATTEMPTS, TRAINING, UPKEEP, TaskQueue
from bot.jobs.task_subprocess import SubprocessFailed, run_in_subprocess
from store.errors import LeaseHeld
from store.records import Lease

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
    client = await bench.context.access.client(REPO)
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

    async def report(task_run) -> str:
        ran.append(task_run.of_repository.full_name)
        return "written"

    kinds = {"report": TaskKind(report, KINDS["report"].cron)}
    await configured(bench, WEEKLY)
    bench.clock.advance(days=40)
    queue = TaskQueue(UPKEEP, bench.installation, bench.context, kinds)
    while (claim := await queue.claim()) is not None:
        await queue.see_through(claim)
    assert ran == [REPO]
    done = task(bench, "report")
    assert done.outcome == "written"
    assert bench.clock() < done.due_at <= bench.clock() + timedelta(days=7)


async def test_a_plan_that_changes_while_the_task_runs_holds_from_then_on(bench) -> None:
    async def report(task_run) -> str:
        await configured(bench, DAILY)
        return "written"

    await configured(bench, NONE)
    with bench.installation.store.begin() as work:
        repository_id = work.repositories.get(REPO).id
        work.tasks.request("report", repository_id, bench.clock())
    kinds = {"report": TaskKind(report, KINDS["report"].cron)}
    queue = TaskQueue(UPKEEP, bench.installation, bench.context, kinds)
    await queue.see_through(await queue.claim())
    done = task(bench, "report")
    assert (done.outcome, done.due_at.strftime("%H:%M")) == ("written", "07:00")


@pytest.fixture
def lane_of(bench):
    """A queue with one kind of task, asked for once."""

    def make(run) -> TaskQueue:
        kinds = {"chore": TaskKind(run, lambda _: None, of_repository=False)}
        with bench.installation.store.begin() as work:
            work.tasks.request("chore", None, bench.clock(), by="ada", detail={"number": 7})
        return TaskQueue(UPKEEP, bench.installation, bench.context, kinds)

    return make


def chore(bench):
    with bench.installation.store.read() as work:
        return work.tasks.find("chore")


async def run_one(queue: TaskQueue) -> bool:
    claim = await queue.claim()
    if claim is not None:
        await queue.see_through(claim)
    return claim is not None


async def test_what_fails_is_tried_again_and_then_given_up(bench, lane_of) -> None:
    async def broken(_) -> str:
        raise ValueError("a bug of ours")

    queue = lane_of(broken)
    pauses = []
    for _ in range(MAX_ATTEMPTS - 1):
        assert await run_one(queue)
        again = chore(bench).due_at
        pauses.append(again - bench.clock())
        bench.clock.now = again
    assert await run_one(queue)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]
    found = chore(bench)
    assert (found.due_at, found.error) == (None, "ValueError: a bug of ours")


async def test_what_is_refused_is_not_tried_again(bench, lane_of) -> None:
    async def refusing(task_run) -> str:
        assert (task_run.asked_by, task_run.detail) == ("ada", {"number": 7})
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

    queue = lane_of(endless)
    queue._grace = timedelta(0)
    running = asyncio.create_task(run_one(queue))
    await asyncio.wait_for(begun.wait(), 20)
    queue.signals.stop()
    assert await asyncio.wait_for(running, 20)
    found = chore(bench)
    assert (found.state, found.attempts, found.due_at) == ("waiting", 0, bench.clock())


async def test_training_has_a_lane_and_a_process_of_its_own(bench) -> None:
    queue = TaskQueue(TRAINING, bench.installation, bench.context)
    assert "retrain" in queue._kinds
    assert "retrain" not in TaskQueue(UPKEEP, bench.installation, bench.context)._kinds


@pytest.mark.slow
async def test_a_child_process_tells_its_parent_what_came_of_it(bench) -> None:
    with bench.installation.store.begin() as work:
        key = work.tasks.request("retrain", work.repositories.get(REPO).id, bench.clock()).key
    with pytest.raises(CommandRefused, match="label"):
        await run_in_subprocess(key, bench.installation.settings)
    broken = bench.installation.settings.model_copy(
        update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    )
    with pytest.raises(SubprocessFailed, match="its log says why"):
        await run_in_subprocess(key, broken)


@pytest.mark.slow
async def test_a_child_ends_with_its_parent() -> None:
    code = (
        "import threading, time; from bot.jobs.task_subprocess import _end_with_parent;"
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
