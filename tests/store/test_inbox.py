"""Deliveries: accepted once, claimed in order, never lost and never held by two."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from store.errors import LeaseLost, NotStored
from store.queues.claiming import Claiming
from store.queues.round_robin import RoundRobin
from store.records import DeliveryRecord
from store.tables import DeliveryRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.database import Store
    from store.records import ClaimedDelivery, StoredDelivery

LEASE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


class Desk:
    """A worker's view of the inbox: each call is a unit of work."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self.now = now
        self.turns = RoundRobin()

    def accept(self, guid: str, number: int | None = 1, **details: object) -> bool:
        record = DeliveryRecord(
            **{
                "guid": guid,
                "event": "issues",
                "action": "opened",
                "payload": {"issue": {"number": number}},
                "received_at": self.now,
                "repository": "acme/rocket",
                "issue_number": number,
                **details,
            }
        )
        with self._store.begin() as work:
            return work.inbox.accept(record)

    def claim(self, worker: str = "w1", guid: str | None = None) -> ClaimedDelivery | None:
        with self._store.begin() as work:
            return work.inbox.claim(worker, LEASE, self.now, guid=guid, turns=self.turns)

    def claimed(self, worker: str = "w1") -> str | None:
        claim = self.claim(worker)
        return None if claim is None else claim.guid

    def finish(self, claim: ClaimedDelivery | None) -> None:
        assert claim is not None
        with self._store.begin() as work:
            work.inbox.finish(claim, self.now)

    def fail(self, claim: ClaimedDelivery | None, retry_at: datetime | None) -> None:
        assert claim is not None
        with self._store.begin() as work:
            work.inbox.fail(claim, "GitHub said 502", self.now, retry_at)

    def find(self, guid: str) -> StoredDelivery:
        with self._store.read() as work:
            found = work.inbox.find(guid)
        assert found is not None
        return found


@pytest.fixture
def context(any_store: Store, now: datetime) -> Desk:
    return Desk(any_store, now)


def test_a_delivery_comes_out_as_it_went_in(context: Desk, now: datetime):
    assert context.accept("g1")
    claim = context.claim()
    assert claim is not None
    assert (claim.guid, claim.event, claim.action) == ("g1", "issues", "opened")
    assert (claim.repository, claim.issue_number) == ("acme/rocket", 1)
    assert claim.payload == {"issue": {"number": 1}}
    assert (claim.attempts, claim.worker, claim.lease_until) == (1, "w1", now + LEASE)


def test_a_repeat_changes_nothing_at_any_stage(context: Desk):
    assert context.accept("g1")
    assert not context.accept("g1", number=2)
    claim = context.claim()
    assert not context.accept("g1")
    assert context.claim() is None
    context.finish(claim)
    assert not context.accept("g1")
    assert context.claim() is None
    assert context.find("g1").state == "done"


def test_every_character_of_a_payload_survives(context: Desk):
    payload = {"nul": "\x00", "lone": "\ud800", "smile": "😀", "big": 2**63, "none": None}
    context.accept("g1", payload=payload)
    claim = context.claim()
    assert claim is not None
    assert claim.payload == payload


def test_the_one_due_longest_comes_first(context: Desk):
    context.accept("later", 1, due_at=context.now + 2 * SECOND)
    context.accept("sooner", 2, due_at=context.now + SECOND)
    assert context.claim() is None
    context.now += 2 * SECOND
    assert [context.claimed(), context.claimed(), context.claimed()] == ["sooner", "later", None]


def test_one_issue_is_worked_on_in_order_and_by_one(context: Desk):
    for guid in ("a1", "a2", "a3"):
        context.accept(guid, number=1)
    context.accept("b1", number=2)
    first = context.claim("w1")
    assert first is not None
    assert first.guid == "a1"
    assert context.claimed("w2") == "b1"
    assert context.claimed("w3") is None
    context.finish(first)
    assert context.claimed("w3") == "a2"


def test_a_retry_is_not_overtaken_by_what_came_later(context: Desk):
    context.accept("a1")
    context.accept("a2")
    context.fail(context.claim(), context.now + 60 * SECOND)
    assert context.claimed() is None
    context.now += 60 * SECOND
    assert context.claimed() == "a1"


def test_a_delayed_delivery_holds_back_later_ones_of_its_issue(context: Desk):
    context.accept("a1", due_at=context.now + 60 * SECOND)
    context.accept("a2")
    context.accept("b1", number=2)
    assert [context.claimed(), context.claimed()] == ["b1", None]


def test_one_that_is_given_up_makes_way(context: Desk):
    context.accept("a1")
    context.accept("a2")
    context.fail(context.claim(), None)
    assert context.find("a1").state == "failed"
    assert context.find("a1").error == "GitHub said 502"
    assert context.claimed() == "a2"


def test_what_concerns_no_issue_is_in_order_within_its_repository(context: Desk):
    context.accept("r1", None, event="label")
    context.accept("r2", None, event="label", repository="ACME/Rocket")
    context.accept("s1", None, event="label", repository="acme/other")
    context.accept("i1", 1)
    assert [context.claimed() for _ in range(4)] == ["r1", "s1", "i1", None]


def test_what_concerns_no_repository_waits_for_nothing(context: Desk):
    context.accept("p1", None, event="ping", repository=None)
    context.accept("p2", None, event="ping", repository=None)
    assert [context.claimed(), context.claimed()] == ["p1", "p2"]


def test_what_is_ignored_is_kept_and_never_handed_out(context: Desk):
    context.accept("g1", ignored=True)
    assert context.claim() is None
    assert context.find("g1").state == "ignored"
    assert not context.accept("g1")


def test_a_lease_that_ran_out_is_claimable_again(context: Desk):
    context.accept("a1")
    context.accept("a2")
    context.claim("dead")
    context.now += LEASE
    assert context.claim("w2") is None
    context.now += SECOND
    again = context.claim("w2")
    assert again is not None
    assert (again.guid, again.attempts, again.worker) == ("a1", 2, "w2")


def test_a_renewed_lease_lasts_longer(context: Desk, any_store: Store):
    context.accept("a1")
    claim = context.claim()
    assert claim is not None
    context.now += LEASE - SECOND
    with any_store.begin() as work:
        renewed = work.inbox.renew(claim, LEASE, context.now)
    context.now += LEASE - SECOND
    assert context.claim("w2") is None
    context.finish(renewed)


@pytest.mark.parametrize(
    "end",
    [
        lambda work, claim, now: work.inbox.finish(claim, now),
        lambda work, claim, now: work.inbox.fail(claim, "why", now, None),
        lambda work, claim, now: work.inbox.renew(claim, LEASE, now),
        lambda work, claim, now: work.inbox.release(claim, now),
    ],
    ids=["finish", "fail", "renew", "release"],
)
def test_a_worker_that_lost_its_lease_changes_nothing(
    any_store: Store, context: Desk, end: Callable[..., object]
):
    context.accept("a1")
    stale = context.claim("w1")
    context.now += LEASE + SECOND
    fresh = context.claim("w1")  # the same name, restarted
    with pytest.raises(LeaseLost, match="a1"), any_store.begin() as work:
        end(work, stale, context.now)
    assert context.find("a1").state == "running"
    context.finish(fresh)
    with pytest.raises(LeaseLost), any_store.begin() as work:
        end(work, fresh, context.now)
    assert context.find("a1").state == "done"


def test_losing_the_lease_rolls_back_what_was_done_with_it(any_store: Store, context: Desk):
    context.accept("a1")
    stale = context.claim("w1")
    context.now += LEASE + SECOND
    context.claim("w2")
    assert stale is not None
    with pytest.raises(LeaseLost):
        work_and_finish(any_store, stale, context.now)
    with any_store.read() as work:
        assert work.repositories.all() == ()


def work_and_finish(store: Store, claim: ClaimedDelivery, now: datetime) -> None:
    with store.begin() as work:
        work.repositories.get_or_create("made/by-stale-worker", now=now)
        work.inbox.finish(claim, now)


def test_what_is_handed_back_counts_as_not_tried(any_store: Store, context: Desk):
    context.accept("a1")
    claim = context.claim()
    assert claim is not None
    with any_store.begin() as work:
        work.inbox.release(claim, context.now)
    assert context.find("a1").attempts == 0
    again = context.claim("w2")
    assert again is not None
    assert again.attempts == 1


def test_a_delivery_can_be_claimed_by_name(context: Desk):
    context.accept("a1", number=1)
    context.accept("a2", number=1)
    context.accept("b1", number=2)
    assert context.claim(guid="a2") is None  # a1 comes first
    claim = context.claim(guid="b1")
    assert claim is not None
    assert claim.guid == "b1"
    assert context.claim(guid="nobody knows") is None


def test_what_was_given_up_can_be_tried_again(any_store: Store, context: Desk):
    context.accept("a1")
    context.fail(context.claim(), None)
    with any_store.begin() as work:
        work.inbox.retry("a1", context.now)
        with pytest.raises(NotStored, match="a1"):
            work.inbox.retry("a1", context.now)
    claim = context.claim()
    assert claim is not None
    assert claim.attempts == 1


def test_what_was_given_up_is_listed_with_its_reason(any_store: Store, context: Desk):
    for guid, repository in (("a1", "acme/rocket"), ("b1", "acme/boat"), ("c1", "acme/rocket")):
        context.accept(guid, repository=repository)
    context.fail(context.claim(guid="b1"), None)
    context.fail(context.claim(guid="a1"), None)
    with any_store.begin() as work:
        work.inbox.purge_payloads(context.now + SECOND)
    context.fail(context.claim(guid="c1"), None)
    with any_store.begin() as work:
        listed = work.inbox.given_up()
        of_one = work.inbox.given_up("Acme/Rocket")
        with pytest.raises(NotStored, match="a1"):
            work.inbox.retry("a1", context.now)  # nobody knows any more what it told
    assert [(one.guid, one.has_payload) for one in listed] == [
        ("a1", False),
        ("b1", False),
        ("c1", True),
    ]
    assert {one.error for one in listed} == {"GitHub said 502"}
    assert [one.guid for one in of_one] == ["a1", "c1"]


def test_an_earlier_one_tried_again_waits_for_the_one_that_runs(any_store: Store, context: Desk):
    context.accept("a1")
    context.accept("a2")
    context.fail(context.claim(), None)
    running = context.claim("w1")
    with any_store.begin() as work:
        work.inbox.retry("a1", context.now)
    assert context.claim("w2") is None
    context.finish(running)
    assert context.claimed("w2") == "a1"


def test_two_of_one_lane_cannot_run_even_if_the_query_were_wrong(any_store: Store, context: Desk):
    context.accept("a1")
    context.accept("a2")
    context.claim()
    with any_store.begin() as work:
        inbox = work.inbox
        later = inbox.find("a2")
        assert later is not None
        claiming = Claiming(inbox._session, "w2", LEASE, context.now)
        assert claiming._take(later.id) is None
    assert context.find("a2").state == "pending"


def test_numbers_for_health_and_metrics(any_store: Store, context: Desk, now: datetime):
    with any_store.read() as work:
        assert work.inbox.oldest_due(now) is None
        assert work.inbox.last_received() is None
    context.accept("done", 1)
    context.finish(context.claim())
    context.accept("failed", 2)
    context.fail(context.claim(), None)
    context.accept("running", 3)
    context.claim()
    context.accept("ignored", 4, ignored=True)
    context.accept("pending", 5, due_at=now + 10 * SECOND, received_at=now + SECOND)
    with any_store.read() as work:
        counts = work.inbox.counts()
        assert counts == dict.fromkeys(("pending", "running", "done", "failed", "ignored"), 1)
        assert work.inbox.oldest_due(now + 9 * SECOND) is None
        assert work.inbox.oldest_due(now + 25 * SECOND) == 15 * SECOND
        assert work.inbox.last_received() == now + SECOND
        assert work.inbox.waiting(now) == ()
        assert work.inbox.waiting(now + LEASE + SECOND) == ("running", "pending")
        assert work.inbox.waiting(now + LEASE + SECOND, limit=1) == ("running",)


def test_payloads_are_forgotten_and_ids_are_not(any_store: Store, context: Desk, now: datetime):
    context.accept("old", 1)
    context.finish(context.claim())
    context.accept("open", 2)
    context.now += 10 * SECOND
    context.accept("young", 3, ignored=True)
    with any_store.begin() as work:
        assert work.inbox.purge_payloads(now + SECOND) == 1
        assert work.inbox.purge_payloads(now + SECOND) == 0
    assert context.find("old").payload is None
    assert context.find("open").payload is not None
    assert context.find("young").payload is not None
    assert not context.accept("old")


def test_what_ended_long_ago_is_forgotten(any_store: Store, context: Desk, now: datetime):
    context.accept("done", 1)
    context.finish(context.claim())
    context.accept("open", 2)
    with any_store.begin() as work:
        assert work.inbox.forget(now) == 0
        assert work.inbox.forget(now + SECOND) == 1
        assert work.inbox.find("done") is None
        assert work.inbox.find("open") is not None


def test_a_state_nobody_knows_cannot_be_stored(any_store: Store, context: Desk):
    context.accept("a1")
    with pytest.raises(Exception, match="ck_deliveries_state"), any_store.begin() as work:
        work._session.execute(update(DeliveryRow).values(state="lost"))
