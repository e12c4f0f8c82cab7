"""Write runs: intended before GitHub is asked, marked after, never taken for a person's word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from store.errors import NotStored
from store.records import DeliveryRecord, IssueRecord

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import Repository, WriteRun

MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(any_store: Store, repository: Repository, now: datetime) -> WriteRun:
    with any_store.begin() as work:
        work.issues.upsert(
            repository.id, [IssueRecord(n, f"Issue {n}", "", ("bug",), now) for n in (1, 2)]
        )
        return work.writes.open_run(repository.id, "backfill", now, detail={"limit": 5})


def test_a_run_is_kept_with_what_it_was_for(
    any_store: Store, repository: Repository, run: WriteRun, now: datetime
):
    assert (run.kind, run.detail, run.finished_at) == ("backfill", {"limit": 5}, None)
    with any_store.begin() as work:
        undo = work.writes.open_run(repository.id, "undo", now + MINUTE, undoes=run.id)
        work.writes.close_run(run.id, now + MINUTE)
        assert work.writes.run(run.id).finished_at == now + MINUTE
        assert undo.undoes == run.id
        assert [one.id for one in work.writes.runs(repository.id)] == [undo.id, run.id]
        assert [one.id for one in work.writes.runs(repository.id, limit=1)] == [undo.id]
        assert [one.id for one in work.writes.runs(repository.id, kind="backfill")] == [run.id]
        assert [one.id for one in work.writes.runs(repository.id, unfinished=True)] == [undo.id]
        with pytest.raises(NotStored, match="999"):
            work.writes.run(999)


def test_a_delivery_that_runs_again_goes_on_with_its_run(
    any_store: Store, repository: Repository, now: datetime
):
    with any_store.begin() as work:
        work.inbox.accept(DeliveryRecord("g1", "issues", {}, now))
        claim = work.inbox.claim("w", MINUTE, now)
        assert claim is not None
        first = work.writes.open_run(repository.id, "webhook", now, delivery_id=claim.id)
        again = work.writes.open_run(repository.id, "webhook", now + MINUTE, delivery_id=claim.id)
    assert again == first


def test_intending_again_keeps_what_became_of_it(any_store: Store, run: WriteRun, now: datetime):
    with any_store.begin() as work:
        bug, docs = work.writes.intend(run.id, 1, ["bug", "docs"], now)
        assert (bug.state, bug.number, bug.label, bug.form) == ("intended", 1, "bug", "label")
        work.writes.mark(bug.id, "written", now)
        again = work.writes.intend(run.id, 1, ["Bug", "ui"], now + MINUTE)
        assert [(write.label, write.state) for write in again] == [
            ("bug", "written"),
            ("ui", "intended"),
        ]
        assert work.writes.intend(run.id, 1, [], now) == ()
        assert docs in work.writes.list(run_id=run.id, state="intended")


def test_what_the_bot_wrote_is_its_own_act_in_the_history(
    any_store: Store, repository: Repository, run: WriteRun, now: datetime
):
    with any_store.begin() as work:
        (write,) = work.writes.intend(run.id, 1, ["bug"], now)
        assert work.labels.history(repository.id, 1) == ()
        work.writes.mark(write.id, "written", now)
        work.writes.mark(write.id, "written", now + MINUTE)
        (act,) = work.labels.history(repository.id, 1)
        assert (act.label, act.action, act.actor_kind, act.at) == ("bug", "added", "self", now)
        assert work.labels.set_by_people(repository.id, 1) == frozenset()
        first, second = work.issues.training_rows(repository.id)
        assert (first.labels, first.unconfirmed) == ((), ("bug",))
        assert (second.labels, second.unconfirmed) == (("bug",), ())


def test_undoing_is_an_own_act_and_leaving_is_none(
    any_store: Store, repository: Repository, run: WriteRun, now: datetime
):
    with any_store.begin() as work:
        bug, docs = work.writes.intend(run.id, 1, ["bug", "docs"], now)
        for write in (bug, docs):
            work.writes.mark(write.id, "written", now)
        work.writes.mark(bug.id, "undone", now + MINUTE)
        work.writes.mark(docs.id, "left", now + MINUTE, reason="ada set it again")
        acts = work.labels.history(repository.id, 1)
        assert [(act.label, act.action) for act in acts[2:]] == [("bug", "removed")]
        assert work.labels.removed_by_people(repository.id, 1) == frozenset()
        (left,) = work.writes.list(repository_id=repository.id, number=1, state="left")
        assert (left.label, left.reason, left.at) == ("docs", "ada set it again", now + MINUTE)


def test_what_is_about_to_be_taken_back_keeps_its_state_and_is_no_act_yet(
    any_store: Store, repository: Repository, run: WriteRun, now: datetime
):
    with any_store.begin() as work:
        bug, docs = work.writes.intend(run.id, 1, ["bug", "docs"], now)
        work.writes.mark(bug.id, "written", now)
        for write in (bug, docs):
            work.writes.take_back(write.id, "ada chose ui")
        before = work.labels.history(repository.id, 1)
        bug, docs = work.writes.list(run_id=run.id)
        assert [(one.state, one.reason) for one in (bug, docs)] == [
            ("written", "ada chose ui"),
            ("intended", "ada chose ui"),
        ]
        assert bug.is_being_taken_back
        assert docs.is_being_taken_back
        assert [act.action for act in before] == ["added"]
        work.writes.mark(bug.id, "undone", now + MINUTE, reason=bug.reason)
        work.writes.take_back(docs.id, "")
        assert not any(one.is_being_taken_back for one in work.writes.list(run_id=run.id))
        with pytest.raises(NotStored, match="write 999"):
            work.writes.take_back(999, "")


def test_a_suggestion_is_no_act_until_people_decide(
    any_store: Store, repository: Repository, run: WriteRun, now: datetime
):
    with any_store.begin() as work:
        (write,) = work.writes.intend(run.id, 2, ["docs"], now, form="suggestion")
        work.writes.mark(write.id, "written", now, external_id="s-1")
        work.writes.mark(write.id, "dismissed", now + MINUTE)
        (stored,) = work.writes.list(run_id=run.id, form="suggestion")
        assert (stored.state, stored.external_id) == ("dismissed", "s-1")
        assert work.labels.history(repository.id, 2) == ()


def test_writes_of_what_is_not_there_are_refused(any_store: Store, run: WriteRun, now: datetime):
    with any_store.begin() as work:
        with pytest.raises(NotStored, match="#9"):
            work.writes.intend(run.id, 9, ["bug"], now)
        with pytest.raises(NotStored, match="run 999"):
            work.writes.intend(999, 1, ["bug"], now)
        with pytest.raises(NotStored, match="write 999"):
            work.writes.mark(999, "written", now)
