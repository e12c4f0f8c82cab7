"""A release folder that is damaged or gone while the worker runs, with a real release in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, TOKEN, Clock
from fakes_cli import REPO

from bot.container import Container
from bot.jobs.delivery_queue import DeliveryQueue
from bot.process.settings import load_settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.simulator.records import Delivery
    from store.records import StoredDelivery

URL = "http://github.test"


class Bench:
    """A worker over a release that was really trained, restarted for each delivery if asked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.github = GitHubState(self.clock, url=URL)
        self.github.add_repository(REPO)
        self.github.add_token(TOKEN, BOT)
        self.github.set_role(REPO, BOT, "write")
        self.restart()

    def restart(self) -> None:
        self.installation = Container(
            load_settings(github_api_url=URL, github_token=TOKEN),
            clock=self.clock,
            transport=SimulatorTransport(self.github),
        )

    def work(self) -> None:
        async def run() -> None:
            context = self.installation.context()
            await DeliveryQueue(context).run_until_empty()
            await context.access.aclose()

        asyncio.run(run())

    def receive(self, delivery: Delivery) -> None:
        received = understand(delivery.guid, delivery.event, delivery.payload, self.clock())
        with self.installation.store.begin() as work:
            keep(work, received, BOT)

    def found(self, delivery: Delivery) -> StoredDelivery:
        with self.installation.store.read() as work:
            return work.inbox.find(delivery.guid)


@pytest.fixture
def bench(trained: Path) -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.installation.close()


def gone(folder: Path) -> Callable[[], object]:
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    return lambda: elsewhere.rename(folder)


def damaged(folder: Path) -> Callable[[], object]:
    file = next(folder.rglob("*.safetensors"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    return lambda: file.write_bytes(whole)


@pytest.mark.parametrize("damage", [gone, damaged])
def test_deliveries_wait_for_the_release_to_be_mended(
    bench: Bench, trained: Path, damage: Callable[[Path], Callable[[], object]]
) -> None:
    mend = damage(next((trained / "releases" / REPO).iterdir()))
    opened = bench.github.open_issue(REPO, "crash and error in part 3")
    bench.receive(opened)
    for _ in range(12):  # half a day of it
        bench.clock.advance(hours=1)
        bench.work()
        waiting = bench.found(opened)
        assert waiting.state == "pending"
        assert "is damaged" in waiting.error
        assert "issue-tagger rollback" in waiting.error
    mend()
    bench.clock.advance(hours=1)
    bench.work()
    assert bench.found(opened).state == "done"


def test_a_release_in_memory_serves_on_while_its_folder_is_away(
    bench: Bench, trained: Path
) -> None:
    first, second = (bench.github.open_issue(REPO, "crash in part 3") for _ in range(2))
    bench.receive(first)
    bench.clock.advance(hours=1)
    bench.work()
    gone(next((trained / "releases" / REPO).iterdir()))
    bench.receive(second)
    bench.clock.advance(hours=1)
    bench.work()
    assert [bench.found(one).state for one in (first, second)] == ["done", "done"]
