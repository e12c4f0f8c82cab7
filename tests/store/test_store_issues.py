"""Issues as filed, as now, and as training rows."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from store.errors import NotStored
from store.provenance import ImplicitConsent
from store.records import BEING_MADE, IssueRecord, LabelEvent, TrainingRow, UpsertCounts

if TYPE_CHECKING:
    from store.database import Store
    from store.records import Repository

FILED = datetime(2026, 2, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
CRASH = IssueRecord(
    number=1,
    title="Crash at start",
    body="It crashes.",
    labels=("Bug",),
    created_at=FILED,
    author="ada",
    author_association="NONE",
    updated_at=FILED,
)
HOUR = timedelta(hours=1)


def test_a_new_issue_comes_back_as_it_went_in(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        assert work.issues.upsert(repository.id, [CRASH]) == UpsertCounts(new=1)
    with any_store.read() as work:
        issue = work.issues.get(repository.id, 1)
    assert (issue.title, issue.filed_title) == ("Crash at start", "Crash at start")
    assert (issue.body, issue.filed_body) == ("It crashes.", "It crashes.")
    assert issue.labels == ("Bug",)
    assert (issue.author, issue.author_association) == ("ada", "NONE")
    assert issue.created_at == FILED
    assert issue.created_at.utcoffset() == timedelta(0)
    assert issue.closed_at is None


def test_the_same_issues_again_change_nothing(any_store: Store, repository: Repository):
    records = [replace(CRASH, number=number) for number in range(1, 1200)]
    with any_store.begin() as work:
        assert work.issues.upsert(repository.id, iter(records)) == UpsertCounts(new=1199)
        assert work.issues.upsert(repository.id, iter(records)) == UpsertCounts(unchanged=1199)
        assert work.issues.numbers(repository.id) == tuple(range(1, 1200))


def test_an_edit_changes_the_present_and_never_what_was_filed(
    any_store: Store, repository: Repository
):
    edited = replace(CRASH, title="Other", body="", labels=(), updated_at=FILED + HOUR)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        assert work.issues.upsert(repository.id, [edited]) == UpsertCounts(changed=1)
        issue = work.issues.get(repository.id, 1)
    assert (issue.title, issue.body, issue.labels) == ("Other", "", ())
    assert (issue.filed_title, issue.filed_body) == ("Crash at start", "It crashes.")


def test_a_late_record_does_not_undo_a_later_one(any_store: Store, repository: Repository):
    later = replace(CRASH, title="Later", labels=("Bug", "Urgent"), updated_at=FILED + HOUR)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [later])
        assert work.issues.upsert(repository.id, [CRASH]) == UpsertCounts(unchanged=1)
        issue = work.issues.get(repository.id, 1)
    assert (issue.title, issue.labels) == ("Later", ("Bug", "Urgent"))


def test_an_import_without_update_times_is_taken_at_its_word(
    any_store: Store, repository: Repository
):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        imported = replace(CRASH, title="Imported", updated_at=None, author=None)
        assert work.issues.upsert(repository.id, [imported]) == UpsertCounts(changed=1)
        issue = work.issues.get(repository.id, 1)
    assert (issue.title, issue.author, issue.updated_at) == ("Imported", "ada", FILED)


def test_a_closing_time_is_known_until_the_issue_is_reopened(
    any_store: Store, repository: Repository
):
    closed = replace(CRASH, state="closed", closed_at=FILED + HOUR)
    imported = replace(CRASH, state="closed", updated_at=None)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [closed])
        assert work.issues.upsert(repository.id, [imported]) == UpsertCounts(unchanged=1)
        assert work.issues.get(repository.id, 1).closed_at == FILED + HOUR
        work.issues.upsert(repository.id, [CRASH])
        assert work.issues.get(repository.id, 1).closed_at is None


def test_what_is_changed_while_rows_are_read_is_kept(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        for row in work.issues.training_rows(repository.id):
            work.repositories.set_cursor(repository.id, "seen", row.number)
    with any_store.read() as work:
        assert work.repositories.get("acme/rocket").cursors == {"seen": 1}


def test_an_edited_payload_tells_what_was_filed(any_store: Store, repository: Repository):
    seen_late = replace(CRASH, filed_title="As filed", filed_body="")
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [seen_late])
        issue = work.issues.get(repository.id, 1)
    assert (issue.filed_title, issue.filed_body) == ("As filed", "")
    assert (issue.title, issue.body) == ("Crash at start", "It crashes.")


def test_a_change_of_labels_alone_is_a_change(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        changed = replace(CRASH, labels=("Urgent", "Bug"))
        assert work.issues.upsert(repository.id, [changed]) == UpsertCounts(changed=1)
        reordered = replace(CRASH, labels=("Bug", "Urgent"))
        assert work.issues.upsert(repository.id, [reordered]) == UpsertCounts(unchanged=1)
        assert work.issues.get(repository.id, 1).labels == ("Bug", "Urgent")


def test_of_two_records_of_one_number_the_last_wins(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        counts = work.issues.upsert(repository.id, [CRASH, replace(CRASH, title="Second")])
        assert counts == UpsertCounts(new=1)
        assert work.issues.get(repository.id, 1).title == "Second"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_of_records_of_one_number_the_newest_wins_and_the_oldest_was_filed(
    any_store: Store, repository: Repository, order: tuple[int, ...]
):
    states = [
        replace(
            CRASH, title=f"Title {hours}", labels=(f"l{hours}",), updated_at=FILED + hours * HOUR
        )
        for hours in range(3)
    ]
    with any_store.begin() as work:
        counts = work.issues.upsert(repository.id, [states[place] for place in order])
        issue = work.issues.get(repository.id, 1)
    assert counts == UpsertCounts(new=1)
    assert (issue.title, issue.filed_title, issue.labels) == ("Title 2", "Title 0", ("l2",))


def test_what_no_database_takes_is_replaced_and_stays_unchanged(
    any_store: Store, repository: Repository
):
    odd = replace(CRASH, title="NUL \x00", body="lone \ud800" + "x" * 1_000_000, labels=("\x00a",))
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [odd])
        assert work.issues.upsert(repository.id, [odd]) == UpsertCounts(unchanged=1)
        issue = work.issues.get(repository.id, 1)
    assert issue.title == "NUL \ufffd"
    assert issue.body.startswith("lone \ufffdxxx")
    assert issue.labels == ("\ufffda",)


def test_times_without_a_zone_are_refused(any_store: Store, repository: Repository):
    naive = replace(CRASH, created_at=datetime(2026, 1, 1))
    with pytest.raises(Exception, match="without a time zone"), any_store.begin() as work:
        work.issues.upsert(repository.id, [naive])


def test_repositories_do_not_see_each_others_issues(
    any_store: Store, repository: Repository, now: datetime
):
    with any_store.begin() as work:
        other = work.repositories.get_or_create("acme/other", now=now)
        work.issues.upsert(repository.id, [CRASH])
        work.issues.upsert(other.id, [replace(CRASH, title="Another")])
        assert work.issues.get(repository.id, 1).title == "Crash at start"
        assert work.issues.get(other.id, 1).title == "Another"
        assert work.issues.count(other.id) == 1


def test_an_unknown_issue_is_named(any_store: Store, repository: Repository):
    with any_store.read() as work:
        assert work.issues.find(repository.id, 9) is None
        with pytest.raises(NotStored, match="#9"):
            work.issues.get(repository.id, 9)


def test_walking_goes_from_the_newest_and_can_be_narrowed(any_store: Store, repository: Repository):
    records = [
        replace(
            CRASH,
            number=number,
            created_at=FILED + number * HOUR,
            state="open" if number % 2 else "closed",
            is_pull_request=number % 3 == 0,
        )
        for number in range(1, 1101)
    ]
    with any_store.begin() as work:
        work.issues.upsert(repository.id, records)

        def walked(**narrowed: object) -> list[int]:
            return [issue.number for issue in work.issues.walk(repository.id, **narrowed)]

        assert walked(every_kind=True) == list(range(1100, 0, -1))
        assert walked() == [n for n in range(1100, 0, -1) if n % 3]
        assert walked(limit=3) == [1100, 1099, 1097]
        assert walked(limit=600, every_kind=True) == list(range(1100, 500, -1))
        assert walked(limit=0) == []
        assert walked(state="closed", limit=2) == [1100, 1096]
        assert walked(created_since=FILED + 1097 * HOUR) == [1100, 1099, 1097]


def test_the_bot_remembers_things_about_an_issue(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        issue = work.issues.get(repository.id, 1)
        work.issues.set_answer_comment(issue.id, BEING_MADE)
        work.issues.set_suggestion_comment(issue.id, 99)
        work.issues.set_opted_out(issue.id, FILED)
        work.issues.set_opted_in(issue.id, FILED + HOUR)
        work.issues.upsert(repository.id, [replace(CRASH, title="Edited")])
        stored = work.issues.get(repository.id, 1)
        assert (stored.answer_comment_id, stored.suggestion_comment_id) == (BEING_MADE, 99)
        assert (stored.opted_out_at, stored.opted_in_at) == (FILED, FILED + HOUR)
        with pytest.raises(NotStored):
            work.issues.set_opted_out(404, FILED)


def test_a_forgotten_issue_takes_its_history_along(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        work.labels.record_events(repository.id, [LabelEvent(1, "Bug", "added", FILED)])
        assert work.issues.forget(repository.id, 1)
        assert not work.issues.forget(repository.id, 1)
        assert work.issues.find(repository.id, 1) is None
        assert work.labels.history(repository.id, 1) == ()


def training_row(work: object, repository_id: int, **options: object) -> TrainingRow:
    (row,) = work.issues.training_rows(repository_id, **options)  # type: ignore[attr-defined]
    return row


def test_training_reads_what_was_filed_with_the_labels_of_now(
    any_store: Store, repository: Repository
):
    edited = replace(CRASH, title="Edited", labels=("Docs", "Bug"), updated_at=FILED + HOUR)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        work.issues.upsert(repository.id, [edited])
        assert training_row(work, repository.id) == TrainingRow(
            number=1,
            title="Crash at start",
            body="It crashes.",
            labels=("Bug", "Docs"),
            unconfirmed=(),
            refused=(),
            is_pull_request=False,
            author="ada",
            created_at=FILED,
        )


def test_training_does_not_take_a_bots_word(any_store: Store, repository: Repository):
    labelled = replace(CRASH, labels=("Bug", "Docs"))
    acts = [
        LabelEvent(1, "docs", "added", FILED, "helper[bot]", "bot"),
        LabelEvent(1, "Urgent", "added", FILED - HOUR, "ada", "person"),
        LabelEvent(1, "Urgent", "removed", FILED - HOUR / 2, "ada", "person"),
    ]
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [labelled])
        work.labels.record_events(repository.id, acts)
        row = training_row(work, repository.id)
        assert (row.labels, row.unconfirmed, row.refused) == (("Bug",), ("Docs",), ("Urgent",))
        kept = LabelEvent(1, "Urgent", "added", FILED + HOUR, "ada", "person")
        work.labels.record_events(repository.id, [kept])
        row = training_row(work, repository.id)
        assert (row.labels, row.unconfirmed, row.refused) == (("Bug", "Docs"), (), ())


def test_a_bots_label_may_count_after_days(any_store: Store, repository: Repository):
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [CRASH])
        work.labels.record_events(
            repository.id, [LabelEvent(1, "Bug", "added", FILED, actor_kind="self")]
        )
        early = ImplicitConsent(timedelta(days=7), FILED + timedelta(days=6))
        late = ImplicitConsent(timedelta(days=7), FILED + timedelta(days=7))
        assert training_row(work, repository.id).labels == ()
        assert training_row(work, repository.id, patience=early).labels == ()
        assert training_row(work, repository.id, patience=late).labels == ("Bug",)


def test_training_rows_come_by_number_over_many_chunks(any_store: Store, repository: Repository):
    records = [replace(CRASH, number=number) for number in range(1300, 0, -1)]
    with any_store.begin() as work:
        work.issues.upsert(repository.id, records)
        rows = list(work.issues.training_rows(repository.id))
    assert [row.number for row in rows] == list(range(1, 1301))
    assert all(row.labels == ("Bug",) for row in rows)


def test_threads_that_meet_a_new_issue_store_it_once(shared_store: Store, now: datetime):
    with shared_store.begin() as work:
        repository = work.repositories.get_or_create("a/b", now=now)
    counts: list[UpsertCounts] = []

    def store_it(minute: int) -> None:
        record = replace(CRASH, updated_at=FILED + timedelta(minutes=minute), state=f"{minute}")
        with shared_store.begin() as work:
            counts.append(work.issues.upsert(repository.id, [record]))

    threads = [threading.Thread(target=store_it, args=(minute,)) for minute in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(count.new for count in counts) == 1
    with shared_store.read() as work:
        assert work.issues.get(repository.id, 1).state == "5"


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_values_of_fields_are_kept_counted_and_given_back_as_targets(
    any_store: Store, repository: Repository, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.issue_history.PAGE", page)
    plain = [
        replace(CRASH, number=number, labels=labels)
        for number, labels in ((1, ("docs",)), (2, ()), (3, ()))
    ]
    rows = [
        replace(plain[0], fields={"Priority": "High", "Severity": "Low"}),
        replace(plain[1], fields={"Priority": "High"}),
        plain[2],
    ]
    high, low = "field = Priority: High", "field = Severity: Low"
    with any_store.begin() as work:
        work.issues.upsert(repository.id, rows)
        assert work.issues.get(repository.id, 1).targets == ("docs", high, low)
        assert work.labels.field_values(repository.id) == (high, low)
        examples = work.questions.examples(repository.id)
        assert examples == {"docs": 1, high.casefold(): 2, low.casefold(): 1}
        labels = [set(row.labels) for row in work.issues.training_rows(repository.id)]
        assert labels == [{"docs", high, low}, {high}, set()]
    with any_store.begin() as work:  # what a file does not tell stays, what GitHub tells holds
        counts = work.issues.upsert(repository.id, [plain[0], replace(rows[1], fields={})])
        assert counts == UpsertCounts(changed=1, unchanged=1)
        assert work.labels.field_values(repository.id) == (high, low)
        assert work.issues.get(repository.id, 2).fields == {}
