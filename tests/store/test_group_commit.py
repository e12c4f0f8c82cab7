"""Units of work of several threads in one commit: all on the disk, or each by itself taken back."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.database import Store

LONG = 10.0


class Crowd:
    """Threads whose units of work wait while one has the turn."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now = store, now
        self.commits = 0
        self.ended: dict[str, BaseException | None] = {}
        event.listen(store._engine, "commit", self._count)

    def _count(self, _: object) -> None:
        self.commits += 1

    def write(self, name: str, fails: Exception | None = None) -> None:
        try:
            with self.store.begin() as work:
                work.repositories.get_or_create(name, now=self.now)
                if fails:
                    raise fails  # noqa: TRY301 - as work does
        except BaseException as error:
            self.ended[name] = error
        else:
            assert name in self.on_disk()
            self.ended[name] = None

    def on_disk(self) -> set[str]:
        with sqlite3.connect(str(self.store.url.database)) as other:
            return {row[0] for row in other.execute("SELECT full_name FROM repositories")}

    def all_at_once(self, *acts: Callable[[], None]) -> None:
        """Begin all of them while the turn is taken, in this order."""
        threads = [threading.Thread(target=act) for act in acts]
        with self.store.begin() as work:
            work.repositories.get_or_create("o/first", now=self.now)
            for number, thread in enumerate(threads, 1):
                thread.start()
                self._until_waiting(number)
        for thread in threads:
            thread.join(LONG)
        assert not any(thread.is_alive() for thread in threads)

    def _until_waiting(self, number: int) -> None:
        turn, tick = self.store._turn, threading.Event()
        for _ in range(10_000):
            if len(turn._others) >= number:
                return
            tick.wait(0.001)
        raise AssertionError("nobody waits")


@pytest.fixture
def crowd(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    monkeypatch.setattr("store.engine.group_commit.LONGEST", LONG)  # a busy machine
    with store.begin() as work:
        work.repositories.all()
    return Crowd(store, now)


def test_those_that_wait_share_a_commit_and_return_after_it(crowd: Crowd) -> None:
    names = [f"o/r{number}" for number in range(5)]
    crowd.all_at_once(*(lambda name=name: crowd.write(name) for name in names))
    assert crowd.ended == dict.fromkeys(names)
    assert crowd.on_disk() == {"o/first", *names}
    assert crowd.commits < len(names)


def test_one_that_fails_takes_back_its_own_part_only(crowd: Crowd) -> None:
    wrong = ValueError("mine")
    crowd.all_at_once(
        lambda: crowd.write("o/good"),
        lambda: crowd.write("o/bad", wrong),
        lambda: crowd.write("o/better"),
    )
    assert crowd.ended == {"o/good": None, "o/bad": wrong, "o/better": None}
    assert crowd.on_disk() == {"o/first", "o/good", "o/better"}


def test_the_last_one_that_fails_still_commits_for_the_others(crowd: Crowd) -> None:
    wrong = ValueError("mine")
    crowd.all_at_once(lambda: crowd.write("o/good"), lambda: crowd.write("o/bad", wrong))
    assert crowd.ended == {"o/good": None, "o/bad": wrong}
    assert crowd.on_disk() == {"o/first", "o/good"}


def test_a_commit_that_fails_fails_for_all_and_leaves_the_store_usable(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with crowd.store.begin() as work:
        work.repositories.get_or_create("o/before", now=crowd.now)
    event.listen(crowd.store._engine, "commit", fails)
    with pytest.raises(Exception, match="disk I/O error"):
        crowd.all_at_once(lambda: crowd.write("o/one"), lambda: crowd.write("o/two"))
    assert crowd.on_disk() == {"o/before"}
    event.remove(crowd.store._engine, "commit", fails)
    crowd.write("o/after")
    assert crowd.ended["o/after"] is None


def test_a_transaction_that_sqlite_ended_by_itself_is_not_taken_for_committed(
    crowd: Crowd,
) -> None:
    """As it does where the disk is full; Python's `commit` says nothing then."""

    def ended() -> None:
        with crowd.store.begin() as work:
            work.repositories.get_or_create("o/two", now=crowd.now)
            raw = work._session.connection().connection.dbapi_connection
            raw.execute("ROLLBACK")
            raise ValueError("full")

    endings: list[Exception] = []

    def run() -> None:
        try:
            ended()
        except Exception as error:
            endings.append(error)

    with pytest.raises(StoreError):
        crowd.all_at_once(run)
    assert len(endings) == 1
    assert crowd.on_disk() == set()
    crowd.write("o/after")
    assert crowd.on_disk() == {"o/after"}


def test_whoever_was_to_commit_and_gave_up_is_not_waited_for(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engine.fair_lock.FairLock.is_awaited", True)
    crowd.write("o/alone")
    assert crowd.ended == {"o/alone": None}


def test_an_urgent_one_leaves_its_commit_to_nobody(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engine.fair_lock.FairLock.is_awaited", True)
    monkeypatch.setattr("store.engine.group_commit.STRAGGLING", LONG)
    with crowd.store.begin(urgent=True) as work:
        work.repositories.get_or_create("o/webhook", now=crowd.now)
    assert crowd.on_disk() == {"o/webhook"}
