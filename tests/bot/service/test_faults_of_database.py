"""The service while its database is locked, full or restarted: refused aloud, and nothing lost."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import BOT, REPO, TOKEN, FakeReleases, signed
from sqlalchemy import create_engine, event, text
from starlette.testclient import TestClient

from bot.container import Container
from bot.jobs import delivery_queue
from bot.jobs.delivery_queue import DeliveryLimits
from bot.service.app import create_app
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.simulator.records import Delivery
    from store.records import StoredDelivery

URL = "http://github.test"
APPLY = "mode: apply\ndelay_seconds: 0\n"
PACE = DeliveryLimits(lease=timedelta(seconds=3), poll=timedelta(seconds=0.02))
PATIENCE = 0.5
"""Seconds for which the store waits for a lock."""


class Disk:
    """Where the database lies; while it is full the file may not grow by another page.

    It listens from the beginning: to add a listener while other threads begin transactions would
    break theirs.
    """

    MOST = 2**31 - 2

    def __init__(self, store: Store) -> None:
        self.is_full: bool | None = None
        event.listen(store._engine, "begin", self._limit)

    def _limit(self, connection) -> None:
        if self.is_full is None:
            return
        pages = "PRAGMA page_count"
        most = connection.exec_driver_sql(pages).scalar() if self.is_full else self.MOST
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")


class Service:
    """The application with its worker, asked over HTTP."""

    def __init__(
        self,
        installation: Container,
        client: TestClient,
        github: GitHubState,
        release,
        disk: Disk,
    ) -> None:
        self.disk = disk
        self.installation = installation
        self.github = github
        self.release = release
        self._client = client

    def post(self, delivery: Delivery):
        body, headers = signed(delivery)
        return self._client.post("/webhook", content=body, headers=headers)

    def post_until_taken(self, delivery: Delivery) -> None:
        """What is refused is sent again, as GitHub does when asked to redeliver."""
        self.until(lambda: self.post(delivery).status_code == 202)

    def found(self, delivery: Delivery) -> StoredDelivery | None:
        with self.installation.store.read() as work:
            return work.inbox.find(delivery.guid)

    def done(self, delivery: Delivery) -> bool:
        found = self.found(delivery)
        return found is not None and found.state == "done"

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def labelled_once(self, number: int) -> bool:
        return [one.event for one in self.github.issue(REPO, number).events] == ["labeled"]


@pytest.fixture
def github() -> GitHubState:
    state = GitHubState(url=URL)
    state.add_repository(REPO)
    state.add_token(TOKEN, BOT)
    state.set_role(REPO, BOT, "write")
    state.add_label(REPO, "bug")
    state.push_file(REPO, ".github/issue-tagger.yml", APPLY)
    return state


@pytest.fixture(autouse=True)
def _hasty(monkeypatch) -> None:
    monkeypatch.setattr(delivery_queue, "FIRST_PAUSE", timedelta(seconds=0.1))


@contextmanager
def serving(settings, github: GitHubState) -> Iterator[Service]:
    releases = FakeReleases()
    installation = Container(settings, transport=SimulatorTransport(github), open_release=releases)
    installation.store = Store(settings.database_url, patience_seconds=PATIENCE)
    installation.own_login = BOT
    disk = Disk(installation.store)
    # so many that a prediction takes pages of its own: a few rows fit into a full file
    names = ["bug", *(f"label {number}" for number in range(300))]
    release = releases.promote(installation.store, "r1", names, installation.clock())
    with TestClient(create_app(installation, pace=PACE)) as client:
        yield Service(installation, client, github, release, disk)
    installation.close()


@pytest.fixture
def service(settings, github) -> Iterator[Service]:
    with serving(settings, github) as running:
        yield running


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Another process writes and does not end."""
    holder = sqlite3.connect(service.installation.store.url.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@contextmanager
def full(service: Service) -> Iterator[None]:
    """As on a disk without space."""
    service.disk.is_full = True
    try:
        yield
    finally:
        service.disk.is_full = False


FAULTS = {"locked": (locked, "try again"), "full": (full, "free some and try again")}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_stored_is_refused_with_503_and_taken_later(service, caplog, fault) -> None:
    broken, advice = FAULTS[fault]
    opened = service.github.open_issue(REPO, "a bug", "x" * 200_000)
    with broken(service):
        answer = service.post(opened)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert service.found(opened) is None
    assert any(advice in getattr(one, "reason", "") for one in caplog.records)
    service.post_until_taken(opened)
    service.until(lambda: service.done(opened))
    assert service.labelled_once(1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_job_that_cannot_be_recorded_runs_again_and_sets_nothing_twice(
    service, caplog, fault
) -> None:
    broken, advice = FAULTS[fault]
    tagging, let_go = threading.Event(), threading.Event()

    def wait(title: str) -> None:
        if title == "a bug":
            tagging.set()
            let_go.wait(120)

    service.release.before_tagging = wait
    opened = service.github.open_issue(REPO, "a bug")
    service.post_until_taken(opened)
    assert tagging.wait(120)
    with broken(service):
        let_go.set()
        service.until(lambda: _told(caplog, "delivery failed"))
    assert any(advice in getattr(one, "reason", "") for one in caplog.records)
    service.until(lambda: service.done(opened))
    assert service.labelled_once(1)
    with service.installation.store.read() as work:
        assert work.predictions.count() == 1


def _told(caplog, message: str) -> bool:
    return any(one.getMessage() == message for one in list(caplog.records))


@pytest.mark.postgres
def test_a_postgresql_that_drops_every_connection_again_and_again_loses_nothing(
    postgres_store, postgres_url, settings, github
) -> None:
    chance = random.Random(3)
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")

    def keep_dropping() -> None:
        for _ in range(12):  # and no more: a slow machine must come to an end as well
            time.sleep(chance.uniform(0.05, 0.5))
            with admin.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

    there = settings.model_copy(update={"database_url": postgres_url})
    dropping = threading.Thread(target=keep_dropping)
    with serving(there, github) as service:
        opened = [github.open_issue(REPO, "a bug") for _ in range(12)]
        dropping.start()
        try:
            for delivery in opened:
                service.post_until_taken(delivery)
        finally:
            dropping.join()
            admin.dispose()
        for delivery in opened:
            service.until(lambda delivery=delivery: service.done(delivery))
        with service.installation.store.read() as work:
            assert work.predictions.count() == 12
    assert all(service.labelled_once(number) for number in range(1, 13))
