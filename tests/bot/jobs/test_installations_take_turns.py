"""One installation that waits, or that has much to do, holds no other up: with an engine or not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import LABELS, Clock, FakeReleases

from bot.container import Container
from bot.jobs.delivery_queue import DeliveryLimits, DeliveryQueue
from bot.process.settings import Settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.faults import Fault
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.simulator.records import Delivery

pytestmark = pytest.mark.anyio
LOUD, QUIET = "loud/rocket", "quiet/boat"
LIMIT = "You have exceeded a secondary rate limit. Please wait."
PACE = DeliveryLimits(poll=timedelta(seconds=0.1), sweep=timedelta(seconds=0.1), at_once=4)


class Town:
    """An App with two installations."""

    def __init__(self, installation: Container, github: GitHubState) -> None:
        self.installation, self.github = installation, github

    def open(self, repository: str, number: int = 1) -> list[Delivery]:
        opened = [self.github.open_issue(repository, "a bug") for _ in range(number)]
        now = self.installation.clock()
        with self.installation.store.begin() as work:
            for one in opened:
                keep(work, understand(one.guid, one.event, one.payload, now), None)
        return opened

    def states(self, deliveries: list[Delivery]) -> list[tuple[str, int]]:
        with self.installation.store.read() as work:
            found = [work.inbox.find(one.guid) for one in deliveries]
        return [(one.state, one.attempts) for one in found if one is not None]

    def asked_of(self, repository: str) -> int:
        return sum(one.path.startswith(f"/repos/{repository}/") for one in self.github.requests)

    async def work(self) -> int:
        worker = DeliveryQueue(self.installation.context())
        try:
            return await worker.run_until_empty()
        finally:
            await worker._context.access.aclose()


@pytest.fixture(params=["in process", pytest.param("engine", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path, database_url: str) -> Iterator[Town]:
    url, clock = database_url, Clock()
    if request.param == "engine":
        request.getfixturevalue("postgres_store")  # empties it afterwards
        url = request.getfixturevalue("postgres_url")
    github = GitHubState(clock, url="http://github.test")
    for repository in (LOUD, QUIET):
        github.add_repository(repository)
        for label in LABELS:
            github.add_label(repository, label)
        github.push_file(repository, ".github/issue-tagger.yml", "mode: apply\ndelay_seconds: 0\n")
    app = github.create_app("issue-tagger")
    for repository in (LOUD, QUIET):
        github.install(app, repository)
    settings = Settings(
        data_dir=tmp_path,
        database_url=url,
        github_api_url="http://github.test",
        github_app_id=app.id,
        github_private_key=app.private_key,
    )
    releases = FakeReleases()
    made = Container(
        settings, clock=clock, transport=SimulatorTransport(github), open_release=releases
    )
    for repository in (LOUD, QUIET):
        releases.promote(made.store, f"r-{repository[:4]}", LABELS, clock(), repository)
    yield Town(made, github)
    made.close()


@asynccontextmanager
async def running(town: Town, worker: DeliveryQueue) -> AsyncIterator[None]:
    task = asyncio.create_task(town.installation.jobs(PACE).run([worker]))
    try:
        yield
    finally:
        worker.stop()
        await asyncio.wait_for(task, 30)
        await worker._context.access.aclose()


async def test_what_github_asks_to_wait_waits_in_the_inbox_without_asking_again(
    town: Town,
) -> None:
    loud, quiet = town.open(LOUD, 12), town.open(QUIET)
    limited = Fault(403, {"retry-after": "3600"}, LIMIT, path="/timeline")
    town.github.fail_next(limited)
    assert await town.work() == 2
    assert town.states(quiet) == [("done", 1)]
    assert town.states(loud) == [("pending", 0)] * 12
    asked = town.asked_of(LOUD)
    loud += town.open(LOUD, 3)
    assert await town.work() == 0
    assert town.asked_of(LOUD) == asked
    town.installation.clock.advance(hours=1)
    await town.work()
    assert town.states(loud) == [("done", 1)] * 15


async def test_a_short_wait_is_sat_out_and_a_long_one_never(town: Town) -> None:
    assert town.installation.longest_wait <= timedelta(seconds=10)
    town.open(LOUD)
    town.github.fail_next(Fault(403, {"retry-after": "11"}, LIMIT, path="/timeline"))
    async with asyncio.timeout(5):
        await town.work()
    with town.installation.store.read() as work:
        now = town.installation.clock()
        assert work.pauses.until(LOUD, now) == now + timedelta(seconds=11)


async def test_a_slot_is_left_to_other_accounts_however_much_one_has_to_do(town: Town) -> None:
    going_on, done = asyncio.Event(), asyncio.Event()
    in_hand, most = 0, 0

    async def job(context, claim):
        nonlocal in_hand, most
        if claim.repository == QUIET:
            done.set()
            return await context.finish(claim)
        in_hand += 1
        most = max(most, in_hand)
        await going_on.wait()
        in_hand -= 1
        return await context.finish(claim)

    town.open(LOUD, 9)
    worker = DeliveryQueue(town.installation.context(), job=job, pace=PACE)
    async with running(town, worker):
        async with asyncio.timeout(20):
            while in_hand < PACE.share:  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.01)
        for one in town.open(QUIET):
            town.installation.jobs(PACE).put(worker.name, one.guid)
        await asyncio.wait_for(done.wait(), 20)
        going_on.set()
        async with asyncio.timeout(20):
            while _left(town):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.05)
    assert most == PACE.share == 3


def _left(town: Town) -> int:
    with town.installation.store.read() as work:
        counts = work.inbox.counts()
    return counts["pending"] + counts["running"]
