"""A deleted issue is in no row any more, and no record of it is stored again."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from store.errors import StoreBusy
from store.records import (
    DeliveryRecord,
    IssueRecord,
    LabelEvent,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
    UpsertCounts,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from store.database import Store
    from store.records import Repository

ID, OTHER_ID = 900_000_001, 900_000_002
NEAR = ({"number": 1, "title": "Secret", "labels": [], "similarity": 0.9},)


@pytest.fixture
def secret(now: datetime) -> IssueRecord:
    return IssueRecord(1, "Secret", "my password", ("bug",), now, github_id=ID)


def bury(store: Store, repository: Repository, now: datetime, github_id: int | None = ID) -> None:
    with store.begin() as work:
        work.erasing.issue(repository.id, 1, github_id, now)
        work.tombstones.bury(repository.id, 1, github_id, now, ["aa"])


def test_no_record_of_its_id_is_stored_again(any_store, repository, now, secret) -> None:
    bury(any_store, repository, now)
    elsewhere = replace(secret, number=7)
    nameless = replace(secret, github_id=None)
    another = replace(secret, github_id=OTHER_ID)
    with any_store.begin() as work:
        for record in (secret, elsewhere, nameless):
            assert work.issues.upsert(repository.id, [record]) == UpsertCounts(unchanged=1)
        assert work.issues.upsert(repository.id, [another]) == UpsertCounts(new=1)


def test_without_an_id_the_number_counts(any_store, repository, now, secret) -> None:
    bury(any_store, repository, now, github_id=None)
    other = replace(secret, number=2, github_id=OTHER_ID)
    with any_store.begin() as work:
        counts = work.issues.upsert(repository.id, [secret, other])
        assert (counts, work.issues.numbers(repository.id)) == (UpsertCounts(1, 0, 1), (2,))


def test_its_label_events_are_left_out_and_others_are_not(any_store, repository, now, secret):
    bury(any_store, repository, now)
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [replace(secret, number=2, github_id=OTHER_ID)])
        events = [LabelEvent(number, "bug", "added", now) for number in (1, 2)]
        assert work.labels.record_events(repository.id, events) == 1
        assert work.labels.record_events(repository.id, events[:1]) == 0


def test_the_issue_of_another_id_stays(any_store, repository, now, secret) -> None:
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [replace(secret, github_id=OTHER_ID)])
        assert not work.erasing.issue(repository.id, 1, ID, now).stored
        assert work.issues.numbers(repository.id) == (1,)


def test_payloads_go_and_what_waited_ends(any_store, repository, now, secret) -> None:
    later = now + timedelta(minutes=2)
    told = {"issue": {"id": ID, "number": 1, "body": "my password"}}
    with any_store.begin() as work:
        work.issues.upsert(repository.id, [secret])
        for guid, given in {
            "waits": {"repository": "Acme/Rocket", "issue_number": 1, "due_at": later},
            "aside": {"repository": "acme/rocket", "issue_number": 1, "aside": True},
            "unread": {"ignored": True},
            "other": {"repository": "acme/rocket", "issue_number": 2},
        }.items():
            work.inbox.accept(DeliveryRecord(guid, "issues", dict(told), now, "edited", **given))
        erased = work.erasing.issue(repository.id, 1, ID, now)
        assert (erased.stored, erased.payloads) == (True, 2)
        assert work.erasing.mentions(repository.id, 1, ID, now) == (1, 0)
        found = {guid: work.inbox.find(guid) for guid in ("waits", "aside", "unread", "other")}
    states = {guid: (one.state, one.payload is None) for guid, one in found.items()}
    assert states == {
        "waits": ("ignored", True),
        "aside": ("ignored", True),
        "unread": ("ignored", True),
        "other": ("pending", False),  # another issue's, which must not be lost
    }


def test_predictions_no_longer_name_it(any_store, repository, now, secret) -> None:
    label = PredictedLabel("bug", 0.9, 0.8, "apply", "knn", {}, NEAR)
    with any_store.begin() as work:
        other = replace(secret, number=11, github_id=OTHER_ID)
        work.issues.upsert(repository.id, [secret, other])
        work.releases.add(repository.id, ReleaseRecord("r", now, "r", "d", {}))
        prediction = PredictionRecord(repository.id, 11, "r", now, "shadow", (label,))
        work.predictions.record(prediction)
    bury(any_store, repository, now)
    with any_store.begin() as work:
        assert work.erasing.mentions(repository.id, 1, ID, now) == (0, 1)
        work.predictions.record(prediction)  # by a release that was loaded before
        found = work.predictions.list(repository.id)
    assert [one.labels[0].neighbours for one in found] == [(), ()]


def test_its_words_are_kept_until_they_were_searched_for(any_store, repository, now) -> None:
    bury(any_store, repository, now)
    bury(any_store, repository, now)
    with any_store.begin() as work:
        (found,) = work.tombstones.unswept(repository.id)
        assert (found.number, found.github_id, found.words) == (1, ID, {"aa"})
        assert work.tombstones.repositories_unswept() == (repository.id,)
        work.tombstones.swept([found.id])
        assert work.tombstones.unswept(repository.id) == ()
        assert work.tombstones.has(ID)


def test_a_repository_goes_from_every_table(any_store, repository, now, secret) -> None:
    from sqlalchemy import func, select

    from store.tables import TableBase

    with any_store.begin() as work:
        work.issues.upsert(repository.id, [secret])
        work.labels.record_events(repository.id, [LabelEvent(1, "bug", "added", now)])
        for release in ("r", "s"):
            work.releases.add(repository.id, ReleaseRecord(release, now, release, "d", {}))
            work.releases.promote(repository.id, release, now)
        told = DeliveryRecord("g", "issues", {"x": 1}, now, "opened", "acme/rocket", 1)
        work.inbox.accept(told)
        named = {"repositories": [{"full_name": "Acme/Rocket"}]}
        work.inbox.accept(DeliveryRecord("h", "installation", named, now, ignored=True))
        claim = work.inbox.claim("w", timedelta(minutes=1), now)
        label = PredictedLabel("bug", 0.9, 0.8, "apply", "knn", {}, NEAR)
        work.predictions.record(
            PredictionRecord(repository.id, 1, "r", now, "shadow", (label,), delivery_id=claim.id)
        )
        run = work.writes.open_run(repository.id, "backfill", now)
        work.writes.intend(run.id, 1, ["bug"], now)
        work.writes.open_run(repository.id, "undo", now, undoes=run.id)
        work.evaluations.start(repository.id, "evaluation", "f", {}, now)
        work.tasks.request("sync", repository.id, now)
        work.tombstones.bury(repository.id, 3, ID, now)
        work.pauses.hold_back("Acme/Rocket", now + timedelta(hours=1), now)
        work.leases.take(f"issue {repository.id}#1", "me", timedelta(minutes=1), now)
    with any_store.begin() as work:
        assert work.erasing.issues(repository.id, 10) == 1
        assert work.erasing.deliveries("acme/rocket", 10) == 1
        assert work.erasing.payloads_naming("acme/rocket", 10) == 1
        assert work.erasing.repository(repository.id)
        assert not work.erasing.repository(repository.id)
        left = {
            table.name: work._session.scalar(select(func.count()).select_from(table))
            for table in TableBase.metadata.sorted_tables
        }
    assert {name: number for name, number in left.items() if number} == {"deliveries": 1}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_database_is_made_for_its_owner_alone(tmp_path: Path, open_store: Callable[..., Store]):
    before = os.umask(0)
    try:
        file = tmp_path / "new" / "folder" / "issues.db"
        store = open_store(f"sqlite:///{file}")
        store.migrate()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").rglob("*")}
    assert modes == {
        "folder": 0o700, "issues.db": 0o600, "issues.db-wal": 0o600, "issues.db-shm": 0o600,
    }  # fmt: skip
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_file_that_is_shared_on_purpose_stays_shared(tmp_path: Path, open_store) -> None:
    file = tmp_path / "issues.db"
    file.touch()
    file.chmod(0o660)
    open_store(f"sqlite:///{file}").migrate()
    assert stat.S_IMODE(file.stat().st_mode) == 0o660


def test_compacting_works_on_either_database(shared_store: Store) -> None:
    shared_store.compact()
    shared_store.compact(rewrite=True)


def test_a_reader_that_keeps_the_log_full_is_told_of(database_url: str, open_store, now) -> None:
    store, reader = (open_store(database_url, patience_seconds=0.2) for _ in range(2))
    with reader.read() as work:
        work.repositories.all()
        with store.begin() as writing:
            writing.repositories.get_or_create("a/b", now=now)
        with pytest.raises(StoreBusy, match="still holds what was deleted"):
            store.compact()
    store.compact()
