"""How workers come by their work: without an engine and with one, they behave the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, LABELS, REPO, FakeReleases

from bot.container import Container
from bot.jobs.delivery_queue import TAGGING, DeliveryLimits, DeliveryQueue
from bot.jobs.task_kinds import TaskKind
from bot.jobs.task_queue import UPKEEP, TaskQueue
from bot.receiving.deliveries import keep, understand
from bot.simulator.transport import SimulatorTransport
from store.engine.job_engine import JobEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.jobs.queues import JobSource
    from bot.simulator.records import Delivery
    from store.records import StoredTask

pytestmark = pytest.mark.anyio
PACE = DeliveryLimits(poll=timedelta(seconds=0.2), sweep=timedelta(seconds=0.2), at_once=3)
SLOW = DeliveryLimits(poll=timedelta(hours=1), sweep=timedelta(hours=1), at_once=3)


@dataclass
class House:
    """An installation that may have several workers, on either database."""

    installation: Container
    github: object
    clock: object
    at_work: Counter[int] = field(default_factory=Counter)
    most: int = 0
    worked: list[int] = field(default_factory=list)

    def receive(self, delivery: Delivery) -> str:
        received = understand(delivery.guid, delivery.event, delivery.payload, self.clock())
        with self.installation.store.begin() as work:
            keep(work, received, BOT)
        return delivery.guid

    def opened(self, number: int) -> list[str]:
        return [self.receive(self.github.open_issue(REPO, "a bug")) for _ in range(number)]

    def counts(self) -> dict[str, int]:
        with self.installation.store.read() as work:
            return dict(work.inbox.counts())

    def task(self, kind: str) -> StoredTask | None:
        with self.installation.store.read() as work:
            return work.tasks.find(kind)

    def jobs(self, pace: DeliveryLimits = PACE) -> JobSource:
        return self.installation.jobs(pace)

    def worker(self, **given) -> DeliveryQueue:
        async def watched(context, claim):
            number = claim.issue_number
            self.at_work[number] += 1
            self.most = max(self.most, sum(self.at_work.values()))
            assert self.at_work[number] == 1, "two have the same issue"
            await asyncio.sleep(0.1)
            self.at_work[number] -= 1
            self.worked.append(number)
            return await context.finish(claim)

        return DeliveryQueue(self.installation.context(), **{"job": watched, "pace": PACE, **given})


async def until(true, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(jobs: JobSource, *queues) -> AsyncIterator[None]:
    """These queues at work, stopped and waited for at the end."""
    task = asyncio.create_task(jobs.run(queues))
    try:
        yield
    finally:
        for queue in queues:
            queue.signals.stop()
        await asyncio.wait_for(task, 30)
        for queue in queues:
            if queue._context.access is not None:
                await queue._context.access.aclose()


@pytest.fixture(params=["in process", pytest.param("engine", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, settings, github, clock) -> Iterator[House]:
    if request.param == "engine":
        request.getfixturevalue("postgres_store")  # empties it afterwards
        url = request.getfixturevalue("postgres_url")
        settings = settings.model_copy(update={"database_url": url})
    releases = FakeReleases()
    made = Container(
        settings, clock=clock, transport=SimulatorTransport(github), open_release=releases
    )
    releases.promote(made.store, "r1", LABELS, clock())
    yield House(made, github, clock)
    made.close()


async def test_all_that_is_due_is_done_and_never_two_of_one_issue(house) -> None:
    house.opened(8)
    for number in range(1, 9):
        house.receive(house.github.edit_issue(REPO, number, by="ada", title="a bug, surely"))
    async with running(house.jobs(), house.worker()), running(house.jobs(), house.worker()):
        await until(lambda: house.counts()["done"] == 16)
    assert Counter(house.worked) == dict.fromkeys(range(1, 9), 2)
    assert 1 < house.most <= 6


async def test_what_is_put_is_taken_up_at_once(house) -> None:
    jobs, worker = house.jobs(SLOW), house.worker(pace=SLOW)
    async with running(jobs, worker):
        await asyncio.sleep(1.0)
        (guid,) = house.opened(1)
        await asyncio.to_thread(jobs.put, TAGGING, guid)
        await until(lambda: house.counts()["done"] == 1)


async def test_what_is_put_twice_or_is_not_there_does_no_harm(house) -> None:
    jobs = house.jobs()
    (guid,) = house.opened(1)
    async with running(jobs, house.worker()):
        await asyncio.sleep(0.3)
        for name in (guid, guid, "nobody", guid):
            jobs.put(TAGGING, name)
        await until(lambda: house.counts()["done"] == 1)
        await asyncio.sleep(0.3)
    assert house.worked == [1]


async def test_a_dead_workers_delivery_is_taken_over(house) -> None:
    house.opened(1)
    dead = house.worker(name="dead")
    assert await dead.claim() is not None
    await dead._context.access.aclose()
    async with running(house.jobs(), house.worker()):
        await asyncio.sleep(0.5)
        assert house.worked == []
        house.clock.advance(minutes=3)
        await until(lambda: house.counts()["done"] == 1)


async def test_stopping_hands_back_what_takes_too_long(house) -> None:
    begun = asyncio.Event()

    async def endless(*_):
        begun.set()
        await asyncio.Event().wait()

    (guid,) = house.opened(1)
    pace = DeliveryLimits(poll=PACE.poll, sweep=PACE.sweep, grace=timedelta(0))
    async with running(house.jobs(), house.worker(job=endless, pace=pace)):
        await asyncio.wait_for(begun.wait(), 30)
    with house.installation.store.read() as work:
        delivery = work.inbox.find(guid)
    assert (delivery.state, delivery.attempts) == ("pending", 0)


async def test_a_task_runs_once_across_workers_and_asked_for_again_once_more(house) -> None:
    ran: list[str] = []

    async def sweep_up(task_run) -> str:
        ran.append(task_run.asked_by)
        await asyncio.sleep(0.2)
        return "swept"

    kinds = {"sweeping": TaskKind(sweep_up, lambda _: None, of_repository=False)}

    def ask(by: str) -> None:
        with house.installation.store.begin() as work:
            work.tasks.request("sweeping", None, house.clock(), by=by)

    def queue() -> TaskQueue:
        return TaskQueue(UPKEEP, house.installation, house.installation.context(), kinds)

    ask("ada")
    async with running(house.jobs(), queue()), running(house.jobs(), queue()):
        await until(lambda: house.task("sweeping").outcome == "swept")
        assert ran == ["ada"]
        house.clock.advance(minutes=1)
        ask("bob")
        await until(lambda: house.task("sweeping").state == "waiting" and len(ran) == 2)
    assert ran == ["ada", "bob"]


@pytest.mark.postgres
async def test_an_engine_that_lost_everything_is_filled_again(
    postgres_store, settings, github, clock, postgres_url
) -> None:
    from sqlalchemy import create_engine, text

    made = Container(
        settings.model_copy(update={"database_url": postgres_url}),
        clock=clock,
        transport=SimulatorTransport(github),
    )
    house = House(made, github, clock)
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with running(house.jobs(), house.worker()):
        house.opened(3)
        await until(lambda: house.counts()["done"] == 3)
        await asyncio.sleep(0.5)  # the engine puts down the last ending
        with admin.connect() as connection:
            connection.execute(text("DROP SCHEMA issue_tagger_jobs_v3 CASCADE"))
        house.opened(3)
        await until(lambda: house.counts()["done"] == 6)
    admin.dispose()
    made.close()


@pytest.mark.postgres
async def test_the_engine_says_when_no_server_answers() -> None:
    from sqlalchemy import make_url

    from store.errors import StoreUnreachable

    engine = JobEngine(make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(StoreUnreachable, match="cannot be set up"):
        await asyncio.to_thread(engine.install)
