"""A whole installation over the simulator: real store, real client, a release that reads titles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, LABELS, REPO, SECRET, TOKEN, Clock, FakeReleases, WordRelease

from bot.container import Container
from bot.jobs.delivery_queue import DeliveryLimits, DeliveryQueue
from bot.process.settings import Settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.receiving.handler_context import HandlerContext
    from bot.simulator.records import Delivery
    from store.records import StoredDelivery, StoredPrediction

URL = "http://github.test"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Bench:
    """An installation at work, without HTTP in front of it.

    :ivar github: the simulator, where people act.
    """

    installation: Container
    github: GitHubState
    clock: Clock
    releases: FakeReleases
    release: WordRelease
    _context: HandlerContext | None = field(default=None)

    def configure(self, text: str | None) -> None:
        """Put a configuration file into the repository, without telling anybody."""
        files = self.github.repository(REPO).files
        if text is None:
            files.pop(".github/issue-tagger.yml", None)
        else:
            files[".github/issue-tagger.yml"] = text

    def receive(self, delivery: Delivery) -> bool:
        """Store a delivery as the service does."""
        received = understand(delivery.guid, delivery.event, delivery.payload, self.clock())
        with self.installation.store.begin() as work:
            return keep(work, received, self.installation.own_login)

    def receive_all(self) -> None:
        """Store everything that the simulator has sent so far."""
        for delivery in list(self.github.deliveries):
            self.receive(delivery)

    @property
    def context(self) -> HandlerContext:
        if self._context is None:
            self._context = self.installation.context()
        return self._context

    def worker(self, pace: DeliveryLimits | None = None, **given: object) -> DeliveryQueue:
        return DeliveryQueue(self.context, pace=pace, **given)  # type: ignore[arg-type]

    async def work(self) -> int:
        """Work off what is due."""
        return await self.worker().run_until_empty()

    async def deliver(self, delivery: Delivery) -> StoredDelivery:
        """Receive one delivery, work it off, and tell what became of it."""
        self.receive(delivery)
        await self.work()
        return self.delivery(delivery)

    def delivery(self, delivery: Delivery) -> StoredDelivery:
        with self.installation.store.read() as work:
            found = work.inbox.find(delivery.guid)
        assert found is not None
        return found

    def predictions(self) -> tuple[StoredPrediction, ...]:
        with self.installation.store.read() as work:
            return work.predictions.list(work.repositories.get(REPO).id)

    def labels(self, number: int) -> list[str]:
        return self.github.issue(REPO, number).label_names

    def asked(self, method: str = "") -> list[str]:
        """Paths asked of GitHub."""
        return [one.path for one in self.github.requests if method in {"", one.method}]

    async def close(self) -> None:
        if self._context is not None and self._context.access is not None:
            await self._context.access.aclose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(clock: Clock) -> GitHubState:
    state = GitHubState(clock, url=URL)
    state.add_repository(REPO)
    state.add_token(TOKEN, BOT)
    state.set_role(REPO, BOT, "write")
    for label in LABELS:
        state.add_label(REPO, label)
    return state


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        github_api_url=URL,
        github_token=TOKEN,
        webhook_secret=SECRET,
    )


@pytest.fixture
def releases() -> FakeReleases:
    return FakeReleases()


@pytest.fixture
def installation(
    settings: Settings, clock: Clock, github: GitHubState, releases: FakeReleases
) -> Iterator[Container]:
    made = Container(
        settings, clock=clock, transport=SimulatorTransport(github), open_release=releases
    )
    yield made
    made.close()


@pytest.fixture
async def bench(installation: Container, github: GitHubState, clock: Clock, releases: FakeReleases):
    installation.own_login = BOT
    release = releases.promote(installation.store, "r1", LABELS, clock())
    made = Bench(installation, github, clock, releases, release)
    yield made
    await made.close()
