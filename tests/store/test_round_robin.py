"""Repositories take turns, whoever has how much waiting; a pause holds back all that is theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from store.queues.round_robin import REMEMBERED, RoundRobin
from store.records import DeliveryRecord

if TYPE_CHECKING:
    from store.database import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def fill(store: Store, repository: str, number: int, at: datetime = NOW) -> None:
    with store.begin() as work:
        for place in range(number):
            guid = f"{repository} {place}"
            work.inbox.accept(DeliveryRecord(guid, "issues", {}, at, "opened", repository, place))


def served(
    store: Store, number: int, now: datetime = NOW, full: tuple[str, ...] = ()
) -> list[str | None]:
    turns, found = RoundRobin(), []
    for _ in range(number):
        with store.begin() as work:
            claim = work.inbox.claim("w", LEASE, now, turns=turns, full=full)
        found.append(claim and claim.repository)
    return found


def test_who_has_thousands_waiting_is_served_no_more_often_than_others(any_store: Store) -> None:
    fill(any_store, "loud/one", 40)
    fill(any_store, "quiet/one", 2, NOW + timedelta(seconds=1))
    later = NOW + timedelta(seconds=2)
    assert served(any_store, 5, later) == [
        "loud/one", "quiet/one", "loud/one", "quiet/one", "loud/one",
    ]  # fmt: skip


def test_an_account_gains_no_turns_by_having_many_repositories(any_store: Store) -> None:
    for name in ("loud/a", "loud/b", "loud/c"):
        fill(any_store, name, 2)
    fill(any_store, "quiet/one", 3)
    found = served(any_store, 6)
    assert found.count("quiet/one") == 3
    assert {found.count(name) for name in ("loud/a", "loud/b", "loud/c")} == {1}


def test_of_an_account_with_its_share_in_hand_nothing_is_taken(any_store: Store) -> None:
    fill(any_store, "Loud/one", 2)
    fill(any_store, "quiet/one", 1)
    assert served(any_store, 2, full=("loud",)) == ["quiet/one", None]


def test_a_pause_holds_back_a_repository_until_it_is_over(any_store: Store) -> None:
    fill(any_store, "Loud/one", 2)
    fill(any_store, "quiet/one", 1)
    with any_store.begin() as work:
        work.pauses.hold_back("loud/One", NOW + HOUR, NOW)
    with any_store.read() as work:
        assert work.inbox.waiting(NOW) == ("quiet/one 0",)
        assert work.pauses.until("LOUD/one", NOW) == NOW + HOUR
    assert served(any_store, 2) == ["quiet/one", None]
    with any_store.read() as work:
        assert not work.inbox.has_something_due(NOW)
        assert work.inbox.oldest_due(NOW) is None
    later = NOW + HOUR
    assert served(any_store, 3, later) == ["Loud/one", "quiet/one", "Loud/one"]


def test_a_pause_of_a_wrong_clock_holds_nobody_back(any_store: Store) -> None:
    fill(any_store, "loud/one", 1)
    with any_store.begin() as work:
        work.pauses.hold_back("loud/one", NOW + timedelta(days=365), NOW)
    assert served(any_store, 1) == ["loud/one"]


def test_those_that_wait_are_named_without_one_crowding_out_another(any_store: Store) -> None:
    fill(any_store, "loud/one", 40)
    fill(any_store, "quiet/one", 2)
    with any_store.read() as work:
        named = work.inbox.waiting(NOW, limit=10)
    assert {"quiet/one 0", "quiet/one 1"} < set(named)
    assert len(named) >= 7


def test_what_is_remembered_of_turns_is_bounded() -> None:
    turns = RoundRobin()
    for number in range(REMEMBERED):
        turns.served(f"account{number}/one")
    assert len(turns._served) == REMEMBERED
    assert list(turns.order(["account9999/one", "account0/one"])) == [
        "account0/one", "account9999/one",
    ]  # fmt: skip
