"""Tasks and leases: asked for, coming round, one worker each, taken over from the dead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from store.errors import LeaseHeld, LeaseLost

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import Repository

LEASE = timedelta(minutes=1)
LATER = timedelta(hours=1)
MONDAYS = "0 6 * * 1"


def request(store: Store, kind: str, repository: Repository | None, now: datetime, **more) -> str:
    with store.begin() as work:
        return work.tasks.request(kind, repository and repository.id, now, **more).key


def claim(store: Store, key: str, now: datetime, worker: str = "w1"):
    with store.begin() as work:
        return work.tasks.claim(key, worker, LEASE, now)


def due(store: Store, now: datetime) -> tuple[str, ...]:
    with store.read() as work:
        return work.tasks.due(now)


def test_what_is_asked_for_runs_once(any_store, repository, now) -> None:
    key = request(any_store, "retrain", repository, now, by="ada", detail={"comment": 7})
    assert request(any_store, "retrain", repository, now, by="bob") == key
    assert due(any_store, now) == (key,)
    claimed = claim(any_store, key, now)
    assert (claimed.kind, claimed.repository_id) == ("retrain", repository.id)
    assert (claimed.asked_by, claimed.attempts) == ("bob", 1)
    assert claim(any_store, key, now, "w2") is None
    with any_store.begin() as work:
        work.tasks.finish(claimed, now, "release r1 serves", None)
        found = work.tasks.find("retrain", repository.id)
    assert (found.outcome, found.state, found.due_at) == ("release r1 serves", "waiting", None)
    assert due(any_store, now + 1000 * LATER) == ()


def test_asked_for_while_it_runs_it_runs_once_more(any_store, repository, now) -> None:
    key = request(any_store, "retrain", repository, now)
    claimed = claim(any_store, key, now)
    request(any_store, "retrain", repository, now + LEASE / 2, by="bob")
    assert due(any_store, now + LEASE / 2) == ()
    with any_store.begin() as work:
        work.tasks.finish(claimed, now + LEASE / 2, "done", now + LATER)
    again = claim(any_store, key, now + LEASE / 2)
    assert again.asked_by == "bob"


def test_what_requests_say_is_kept_until_a_run_that_began_after_them_has_ended(
    any_store, repository, now
) -> None:
    key = request(any_store, "retrain", repository, now, detail={"a": 1})
    request(any_store, "retrain", repository, now, detail={"b": 2})
    claimed = claim(any_store, key, now)
    assert claimed.detail == {"a": 1, "b": 2}
    request(any_store, "retrain", repository, now, detail={"c": 3})
    after = now + 2 * LEASE
    with any_store.begin() as work:
        assert work.tasks.find("retrain", repository.id).detail == {"a": 1, "b": 2, "c": 3}
        work.tasks.finish(claimed, now, "done", None)
        assert work.tasks.find("retrain", repository.id).detail == {"c": 3}
    claimed = claim(any_store, key, after)
    with any_store.begin() as work:
        work.tasks.fail(claimed, "disk full", after, after + LATER)
        assert work.tasks.find("retrain", repository.id).detail == {"c": 3}
        claimed = work.tasks.claim(key, "w1", LEASE, after + LATER)
        work.tasks.fail(claimed, "disk full", after, after + 2 * LATER, for_good=True)
        assert work.tasks.find("retrain", repository.id).detail == {}


def test_what_comes_round_runs_once_however_long_nobody_worked(any_store, repository, now) -> None:
    def plan(cron: str | None, at: datetime | None) -> None:
        with any_store.begin() as work:
            work.tasks.plan("report", repository.id, cron, at)

    plan(MONDAYS, now + LATER)
    plan(MONDAYS, now + 5 * LATER)  # planned so already
    assert due(any_store, now) == ()
    (key,) = due(any_store, now + 500 * LATER)
    claimed = claim(any_store, key, now + 500 * LATER)
    assert claimed.cron == MONDAYS
    with any_store.begin() as work:
        work.tasks.finish(claimed, now + 500 * LATER, "done", now + 501 * LATER)
    assert due(any_store, now + 500 * LATER) == ()
    assert due(any_store, now + 501 * LATER) == (key,)
    plan("0 7 * * *", now + 600 * LATER)
    assert due(any_store, now + 501 * LATER) == ()
    plan(None, None)
    assert due(any_store, now + 10_000 * LATER) == ()


def test_a_plan_that_was_never_made_needs_no_row_to_be_stopped(any_store, repository) -> None:
    with any_store.begin() as work:
        work.tasks.plan("report", repository.id, None, None)
        assert work.tasks.all() == ()


def test_a_dead_workers_task_is_taken_over(any_store, now) -> None:
    key = request(any_store, "retention", None, now)
    assert key == "retention"
    dead = claim(any_store, key, now, "dead")
    after = now + LEASE + timedelta(seconds=1)
    assert due(any_store, now + LEASE) == ()
    assert due(any_store, after) == (key,)
    taken = claim(any_store, key, after, "w2")
    assert taken.attempts == 2
    for late in ("finish", "fail", "release", "renew"):
        arguments = {
            "finish": (after, "", None),
            "fail": ("", after, None),
            "release": (after,),
            "renew": (LEASE, after),
        }[late]
        with (
            pytest.raises(LeaseLost, match="dead no longer holds task retention"),
            any_store.begin() as work,
        ):
            getattr(work.tasks, late)(dead, *arguments)


def test_a_renewed_task_stays_with_its_worker(any_store, now) -> None:
    key = request(any_store, "retention", None, now)
    claimed = claim(any_store, key, now)
    with any_store.begin() as work:
        work.tasks.renew(claimed, LEASE, now + LEASE / 2)
    assert due(any_store, now + LEASE + timedelta(seconds=1)) == ()


def test_what_fails_is_due_later_and_a_new_request_forgives(any_store, now) -> None:
    key = request(any_store, "retention", None, now)
    with any_store.begin() as work:
        work.tasks.fail(work.tasks.claim(key, "w", LEASE, now), "disk full", now, now + LATER)
    assert due(any_store, now) == ()
    with any_store.begin() as work:
        claimed = work.tasks.claim(key, "w", LEASE, now + LATER)
        work.tasks.fail(claimed, "disk full", now + LATER, None)
        found = work.tasks.find("retention")
    assert (found.attempts, found.error, found.due_at) == (2, "disk full", None)
    request(any_store, "retention", None, now)
    assert claim(any_store, key, now).attempts == 1


def test_what_is_handed_back_was_no_attempt(any_store, now) -> None:
    key = request(any_store, "retention", None, now)
    with any_store.begin() as work:
        work.tasks.release(work.tasks.claim(key, "w", LEASE, now), now + LATER)
        assert work.tasks.find("retention").attempts == 0
    assert due(any_store, now + LATER) == (key,)


def test_many_workers_get_one_task_once(shared_store: Store, now) -> None:
    key = request(shared_store, "retention", None, now)
    with ThreadPoolExecutor(5) as pool:
        claims = list(pool.map(lambda n: claim(shared_store, key, now, f"w{n}"), range(10)))
    assert len([one for one in claims if one]) == 1


def test_a_lease_has_one_holder_and_says_who(any_store, now) -> None:
    with any_store.begin() as work:
        work.leases.take("training of a/b", "host-1", LEASE, now)
    held = pytest.raises(LeaseHeld, match="training of a/b is held by host-1 since 2026-03-01")
    with held, any_store.begin() as work:
        work.leases.take("training of a/b", "host-2", LEASE, now + LEASE)
    with any_store.begin() as work:
        work.leases.take("training of a/c", "host-2", LEASE, now)
        work.leases.give_back("training of a/b", "host-2")  # not its to give
        assert work.leases.find("training of a/b").holder == "host-1"
        work.leases.give_back("training of a/b", "host-1")
        assert work.leases.take("training of a/b", "host-2", LEASE, now).holder == "host-2"


def test_a_lease_that_ran_out_is_taken_over_for_good(any_store, now) -> None:
    after = now + 2 * LEASE
    with any_store.begin() as work:
        work.leases.take("x", "dead", LEASE, now)
        assert work.leases.renew("x", "dead", LEASE, now).until == now + LEASE
        assert work.leases.take("x", "alive", LEASE, after).since == after
    with pytest.raises(LeaseLost), any_store.begin() as work:
        work.leases.renew("x", "dead", LEASE, after)


def test_many_take_one_lease_once(shared_store: Store, now) -> None:
    def take(number: int) -> bool:
        try:
            with shared_store.begin() as work:
                work.leases.take("x", f"h{number}", LEASE, now)
        except LeaseHeld:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(take, range(10))) == 1
