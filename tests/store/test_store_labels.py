"""Labels of a repository, their renames, and the history of who set them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from store.errors import NotStored
from store.records import IssueRecord, LabelEvent, LabelRecord

if TYPE_CHECKING:
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

BUG = LabelRecord("bug", "Something is wrong", "d73a4a")
DOCS = LabelRecord("docs")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def issues(any_store: Store, repository: Repository, now: datetime) -> tuple[int, int]:
    """Two issues, both labelled `bug`."""
    with any_store.begin() as work:
        records = [IssueRecord(n, f"Issue {n}", "", ("bug",), now) for n in (1, 2)]
        work.issues.upsert(repository.id, records)
        work.labels.upsert(repository.id, [BUG, DOCS], now=now)
    return 1, 2


def names(work: UnitOfWork, repository: Repository) -> list[str]:
    return [label.name for label in work.labels.list(repository.id)]


def test_labels_come_back_by_name(any_store: Store, repository: Repository, now: datetime):
    with any_store.begin() as work:
        assert work.labels.upsert(repository.id, [DOCS, BUG], now=now) == 2
        assert work.labels.upsert(repository.id, [BUG, DOCS], now=now) == 0
        bug, docs = work.labels.list(repository.id)
    assert (bug.name, bug.description, bug.color) == ("bug", "Something is wrong", "d73a4a")
    assert (docs.name, docs.description, docs.former_names) == ("docs", "", ())


def test_case_makes_no_second_label(any_store: Store, repository: Repository, now: datetime):
    with any_store.begin() as work:
        work.labels.upsert(repository.id, [BUG], now=now)
        assert work.labels.upsert(repository.id, [LabelRecord("BUG")], now=now) == 1
        assert names(work, repository) == ["BUG"]


def test_a_complete_list_marks_the_others_deleted(
    any_store: Store, repository: Repository, now: datetime
):
    with any_store.begin() as work:
        work.labels.upsert(repository.id, [BUG, DOCS], now=now)
        assert work.labels.upsert(repository.id, [BUG], now=now, complete=True) == 1
        assert names(work, repository) == ["bug"]
        (gone,) = (one for one in work.labels.list(repository.id, deleted=True) if one.deleted_at)
        assert (gone.name, gone.deleted_at) == ("docs", now)
        work.labels.upsert(repository.id, [DOCS], now=now)
        assert names(work, repository) == ["bug", "docs"]


def test_a_deleted_label_leaves_the_issues_and_no_trace_of_judgement(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    with any_store.begin() as work:
        assert work.labels.delete(repository.id, "BUG", now=now)
        assert not work.labels.delete(repository.id, "bug", now=now)
        assert names(work, repository) == ["docs"]
        assert work.issues.get(repository.id, 1).labels == ()
        assert work.labels.removed_by_people(repository.id, 1) == frozenset()


def test_a_rename_is_followed_everywhere(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    with any_store.begin() as work:
        event = LabelEvent(1, "bug", "added", now, "ada", "person")
        work.labels.record_events(repository.id, [event])
        run = work.writes.open_run(repository.id, "webhook", now)
        work.writes.intend(run.id, 2, ["bug"], now)
        work.labels.rename(repository.id, "bug", "type: bug")
        assert names(work, repository) == ["docs", "type: bug"]
        assert work.issues.get(repository.id, 1).labels == ("type: bug",)
        assert work.labels.set_by_people(repository.id, 1) == {"type: bug"}
        assert [write.label for write in work.writes.list(run_id=run.id)] == ["type: bug"]
        assert work.labels.renames(repository.id) == {"bug": "type: bug"}


def test_history_told_under_a_former_name_is_kept_under_the_present_one(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    event = LabelEvent(1, "bug", "added", now, "ada", "person", "timeline", "e1")
    with any_store.begin() as work:
        work.labels.record_events(repository.id, [event])
        work.labels.rename(repository.id, "bug", "defect")
        work.labels.rename(repository.id, "defect", "flaw")
        assert work.labels.record_events(repository.id, [event]) == 0
        assert [act.label for act in work.labels.history(repository.id, 1)] == ["flaw"]


def test_a_rename_onto_a_label_that_is_known_merges_them(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    both = IssueRecord(2, "Issue 2", "", ("bug", "docs"), now)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [both])
        same = [LabelEvent(2, name, "added", now, "ada", "person") for name in ("bug", "docs")]
        work.labels.record_events(repository.id, same)
        work.labels.rename(repository.id, "bug", "docs")
        assert names(work, repository) == ["docs"]
        assert work.issues.get(repository.id, 1).labels == ("docs",)
        assert work.issues.get(repository.id, 2).labels == ("docs",)
        assert len(work.labels.history(repository.id, 2)) == 1
        assert work.labels.renames(repository.id) == {"bug": "docs"}


def test_renames_lead_to_a_label_of_today_or_nowhere(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    with any_store.begin() as work:
        work.labels.rename(repository.id, "type-bug", "defect")
        work.labels.rename(repository.id, "bug", "type-bug")
        work.labels.delete(repository.id, "type-bug", now=now)
        assert work.labels.renames(repository.id) == {"bug": "defect", "type-bug": "defect"}
        work.labels.delete(repository.id, "defect", now=now)
        assert work.labels.renames(repository.id) == {}


def test_a_rename_in_case_only_loses_nothing(
    any_store: Store, repository: Repository, issues: tuple[int, int]
):
    with any_store.begin() as work:
        work.labels.rename(repository.id, "bug", "Bug")
        assert names(work, repository) == ["Bug", "docs"]
        assert work.issues.get(repository.id, 1).labels == ("Bug",)


def test_a_rename_of_an_unknown_label_is_learned(
    any_store: Store, repository: Repository, now: datetime
):
    with any_store.begin() as work:
        work.labels.rename(repository.id, "old", "new")
        (label,) = work.labels.list(repository.id)
        assert (label.name, label.former_names) == ("new", ("old",))


def test_recording_an_act_again_changes_nothing(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    acts = [
        LabelEvent(1, "bug", "added", now, "ada", "person", "timeline", "e1"),
        LabelEvent(1, "bug", "removed", now + MINUTE, "ada", "person", "timeline", "e2"),
        LabelEvent(2, "docs", "added", now, None, "unknown", "import"),
    ]
    with any_store.begin() as work:
        assert work.labels.record_events(repository.id, acts) == 3
        assert work.labels.record_events(repository.id, [*acts, acts[0]]) == 0
        assert work.labels.history(repository.id, 1) == tuple(acts[:2])


def test_the_last_act_of_people_wins(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    told = [
        ("bug", "added", "person"),
        ("docs", "added", "self"),
        ("docs", "removed", "person"),
        ("bug", "removed", "bot"),
        ("docs", "added", "bot"),
        ("ui", "removed", "person"),
        ("ui", "added", "unknown"),
        ("old", "added", "person"),
        ("old", "removed", "person"),
    ]
    acts = [
        LabelEvent(1, label, action, now + minute * MINUTE, actor_kind=kind)
        for minute, (label, action, kind) in enumerate(told)
    ]
    with any_store.begin() as work:
        work.labels.record_events(repository.id, reversed(acts))  # order of time, not of arrival
        assert work.labels.set_by_people(repository.id, 1) == {"bug", "ui"}
        assert work.labels.removed_by_people(repository.id, 1) == {"docs", "old"}
        assert work.labels.removed_by_people(repository.id, 2) == frozenset()


def test_within_one_second_the_order_of_arrival_decides(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    told = ["added", "removed", "added"]
    acts = [
        LabelEvent(1, "bug", action, now, "ada", "person", key=f"delivery {place}")
        for place, action in enumerate(told)
    ]
    with any_store.begin() as work:
        for act in acts:
            work.labels.record_events(repository.id, [act])
        assert work.labels.set_by_people(repository.id, 1) == {"bug"}


def test_acts_on_unknown_issues_are_named_and_nothing_is_recorded(
    any_store: Store, repository: Repository, issues: tuple[int, int], now: datetime
):
    acts = [LabelEvent(1, "bug", "added", now), LabelEvent(77, "bug", "added", now)]
    with any_store.begin() as work:
        with pytest.raises(NotStored, match="#77"):
            work.labels.record_events(repository.id, acts)
        assert work.labels.history(repository.id, 1) == ()
        with pytest.raises(NotStored, match="#77"):
            work.labels.set_by_people(repository.id, 77)


def test_no_acts_are_no_work(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        assert work.labels.record_events(repository.id, []) == 0
