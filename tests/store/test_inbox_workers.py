"""Many workers on one inbox: no issue twice at a time, nothing lost, order kept."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from store.records import DeliveryRecord

if TYPE_CHECKING:
    from store.database import Store
    from store.records import ClaimedDelivery

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def delivery(guid: str, number: int) -> DeliveryRecord:
    return DeliveryRecord(
        guid=guid,
        event="issues",
        payload={"n": number},
        received_at=NOW,
        repository="acme/rocket",
        issue_number=number,
    )


@dataclass
class Witness:
    """Sees which issues are being worked on, and what was done in which order."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    held: set[int] = field(default_factory=set)
    twice_at_once: list[str] = field(default_factory=list)
    done: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def begins(self, claim: ClaimedDelivery) -> None:
        with self.lock:
            if claim.issue_number in self.held:
                self.twice_at_once.append(claim.guid)
            assert claim.issue_number is not None
            self.held.add(claim.issue_number)

    def ends(self, claim: ClaimedDelivery, *, done: bool) -> None:
        with self.lock:
            assert claim.issue_number is not None
            self.held.discard(claim.issue_number)
            if done:
                self.done[claim.issue_number].append(claim.guid)


def drain(store: Store, witness: Witness, worker: int, now: datetime, deaths: float) -> None:
    """Work until nothing is to be had; now and then die with a delivery in hand."""
    chance = random.Random(worker)
    idle = 0
    while idle < 3:
        with store.begin() as work:
            claim = work.inbox.claim(f"w{worker}", LEASE, now)
        if claim is None:
            idle += 1
            continue
        witness.begins(claim)
        survives = chance.random() >= deaths
        # The witness hears of the end first: the next claim may come at once after the commit.
        witness.ends(claim, done=survives)
        if survives:
            with store.begin() as work:
                work.inbox.finish(claim, now)


@pytest.mark.parametrize("deaths", [0.0, 0.2])
def test_each_is_done_once_in_order_and_no_issue_twice_at_a_time(
    shared_store: Store, deaths: float
):
    guids: dict[int, list[str]] = defaultdict(list)
    with shared_store.begin() as work:
        for place in range(90):
            number = place % 13
            guids[number].append(f"g{place}")
            work.inbox.accept(delivery(f"g{place}", number))
    witness, now = Witness(), NOW
    while any(witness.done[number] != guids[number] for number in guids):
        with ThreadPoolExecutor(4) as pool:
            runs = [
                pool.submit(drain, shared_store, witness, worker, now, deaths)
                for worker in range(4)
            ]
        for run in runs:
            run.result()
        now += LEASE + timedelta(seconds=1)
        assert now < NOW + 40 * LEASE, "deliveries were lost"
    assert witness.twice_at_once == []
    assert dict(witness.done) == guids
    with shared_store.read() as work:
        assert work.inbox.counts()["done"] == 90


def test_a_delivery_accepted_by_many_threads_is_accepted_once(shared_store: Store):
    def accept(_: int) -> bool:
        with shared_store.begin() as work:
            return work.inbox.accept(delivery("g1", 1))

    with ThreadPoolExecutor(6) as pool:
        accepted = list(pool.map(accept, range(12)))
    assert sum(accepted) == 1


@pytest.mark.postgres
def test_workers_pass_by_what_another_is_claiming(postgres_store: Store):
    with postgres_store.begin() as work:
        for guid, number in (("a1", 1), ("a2", 1), ("b1", 2)):
            work.inbox.accept(delivery(guid, number))
    with postgres_store.begin() as one, postgres_store.begin() as two:
        first = one.inbox.claim("w1", LEASE, NOW)
        second = two.inbox.claim("w2", LEASE, NOW)
        assert first is not None
        assert second is not None
        assert (first.guid, second.guid) == ("a1", "b1")
        with postgres_store.begin() as three:
            assert three.inbox.claim("w3", LEASE, NOW) is None


@pytest.mark.postgres
def test_a_delivery_that_becomes_visible_late_does_not_run_beside_a_later_one(
    postgres_store: Store,
):
    """The order of ids is not the order of commits: a1 has the lower id and comes to light last."""
    with ThreadPoolExecutor(1) as pool:
        with postgres_store.begin() as claiming:
            with postgres_store.begin() as slow:
                slow.inbox.accept(delivery("a1", 1))
                with postgres_store.begin() as fast:
                    fast.inbox.accept(delivery("a2", 1))
                later = claiming.inbox.claim("w1", LEASE, NOW)
                assert later is not None
                assert later.guid == "a2"

            def claim_in_other_thread() -> ClaimedDelivery | None:
                with postgres_store.begin() as work:
                    return work.inbox.claim("w2", LEASE, NOW)

            racing = pool.submit(claim_in_other_thread)
        assert racing.result() is None
