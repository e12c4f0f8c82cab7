"""Repositories by name and by GitHub's id."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from store.errors import NotStored

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import Repository


def test_case_makes_no_second_repository(any_store: Store, now: datetime):
    with any_store.begin() as work:
        first = work.repositories.get_or_create("Acme/Rocket", now=now)
        again = work.repositories.get_or_create("acme/ROCKET", now=now)
        assert again.id == first.id
        assert len(work.repositories.all()) == 1


def test_names_are_found_in_any_case(any_store: Store, repository: Repository):
    with any_store.read() as work:
        assert work.repositories.find("ACME/rocket") == repository
        assert work.repositories.find("acme/other") is None
        with pytest.raises(NotStored, match=r"acme/other.*sync"):
            work.repositories.get("acme/other")


def test_a_renamed_repository_keeps_its_rows(any_store: Store, now: datetime):
    with any_store.begin() as work:
        old = work.repositories.get_or_create("acme/old", now=now, github_id=7)
        new = work.repositories.get_or_create("acme/new", now=now, github_id=7)
        assert (new.id, new.full_name) == (old.id, "acme/new")
        assert work.repositories.find("acme/old") is None


def test_a_name_given_away_does_not_mix_two_repositories(any_store: Store, now: datetime):
    with any_store.begin() as work:
        first = work.repositories.get_or_create("acme/site", now=now, github_id=1)
        second = work.repositories.get_or_create("acme/next", now=now, github_id=2)
        moved = work.repositories.get_or_create("acme/site", now=now, github_id=2)
        assert moved.id == second.id != first.id
        assert work.repositories.get("acme/site").id == second.id
        assert len(work.repositories.all()) == 2


def test_a_new_repository_under_a_name_once_used_is_another_one(any_store: Store, now: datetime):
    with any_store.begin() as work:
        first = work.repositories.get_or_create("acme/site", now=now, github_id=1)
        assert work.repositories.find("acme/site", github_id=2) is None
        second = work.repositories.get_or_create("acme/site", now=now, github_id=2)
        assert second.id != first.id
        assert work.repositories.get("acme/site").id == second.id
        found = work.repositories.find("acme/site", github_id=1)
        assert found is not None
        assert found.id == first.id


def test_an_imported_repository_learns_its_github_id(any_store: Store, now: datetime):
    with any_store.begin() as work:
        imported = work.repositories.get_or_create("acme/site", now=now)
        synced = work.repositories.get_or_create("acme/site", now=now, github_id=5)
        assert synced.id == imported.id
        assert work.repositories.get("acme/site").github_id == 5


def test_what_is_known_of_a_repository_is_kept_apart(
    any_store: Store, repository: Repository, now: datetime
):
    with any_store.begin() as work:
        work.repositories.set_cursor(
            repository.id, "issues", {"since": "2026-01-01", "etag": '"x"'}
        )
        work.repositories.set_cursor(repository.id, "labels", "y")
        work.repositories.set_holdout_key(repository.id, "acme/rocket")
        work.repositories.set_report_issue(repository.id, 9)
        work.repositories.set_no_suggestions_since(repository.id, now)
        work.repositories.set_configuration(repository.id, {"valid": None}, {"delay_seconds": 1})
        work.repositories.set_label_list(repository.id, {"pages": {}, "labels": []})
        work.repositories.set_configuration_notice(repository.id, {"failing": True})
        work.repositories.leave(repository.id, "it is archived", now)
        work.repositories.set_cursor(repository.id, "labels", None)
    with any_store.read() as work:
        kept = work.repositories.get("acme/rocket")
        assert kept.cursors == {"issues": {"since": "2026-01-01", "etag": '"x"'}}
        assert (kept.holdout_key, kept.report_issue) == ("acme/rocket", 9)
        assert kept.no_suggestions_since == kept.left_at == now
        assert kept.left_because == "it is archived"
        assert (kept.configuration, kept.intake_rules) == ({"valid": None}, {"delay_seconds": 1})
        assert kept.label_list == {"pages": {}, "labels": []}
        assert kept.configuration_notice == {"failing": True}


def test_what_no_longer_holds_is_forgotten(any_store: Store, repository: Repository, now: datetime):
    with any_store.begin() as work:
        work.repositories.leave(repository.id, "it is archived", now)
        work.repositories.come_back(repository.id)
        work.repositories.set_configuration(repository.id, {"valid": None}, {})
        work.repositories.set_configuration(repository.id, None, None)
        assert work.repositories.by_id(repository.id) == repository


def test_a_reader_may_ask_by_id(any_store: Store, repository: Repository):
    with any_store.read() as work:
        assert work.repositories.by_id(repository.id) == repository
        with pytest.raises(NotStored):
            work.repositories.by_id(404)


def test_of_what_is_not_there_nothing_is_kept(any_store: Store):
    with pytest.raises(NotStored), any_store.begin() as work:
        work.repositories.set_report_issue(404, 1)


def test_many_threads_meeting_a_new_repository_make_one(shared_store: Store, now: datetime):
    found: list[int] = []

    def meet() -> None:
        with shared_store.begin() as work:
            found.append(work.repositories.get_or_create("a/b", now=now).id)

    threads = [threading.Thread(target=meet) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
