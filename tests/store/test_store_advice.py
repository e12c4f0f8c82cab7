"""Advice and the duplicates that people named, on both databases."""

from __future__ import annotations

import pytest

from store.records import DuplicateLink, IssueRecord


@pytest.fixture
def issues(any_store, repository, now):
    with any_store.begin() as work:
        rows = [IssueRecord(number, "title", "body", (), now) for number in (1, 2, 3)]
        work.issues.upsert(repository.id, rows)
    return repository


def test_the_last_advice_counts_and_goes_with_its_issue(any_store, issues, now) -> None:
    with any_store.begin() as work:
        work.advice.put(issues.id, 2, {"duplicate": 1}, now)
        work.advice.put(issues.id, 2, {"duplicate": 3}, now)
        work.advice.put(issues.id, 99, {"duplicate": 1}, now)  # deleted meanwhile
    with any_store.begin() as work:
        stored = work.advice.find(issues.id, 2)
        assert (stored.number, stored.at, dict(stored.document)) == (2, now, {"duplicate": 3})
        assert work.advice.find(issues.id, 1) is None
        assert work.advice.find(issues.id, 99) is None
        work.erasing.issue(issues.id, 2, None, now)
    with any_store.read() as work:
        assert work.advice.find(issues.id, 2) is None


def test_links_are_kept_once_and_go_with_the_copy(any_store, issues, now) -> None:
    with any_store.begin() as work:
        work.advice.link(issues.id, 3, [1, 2, 1, 3], now)
        work.advice.link(issues.id, 3, [1], now)
        work.advice.link(issues.id, 2, [1], now)
        work.advice.link(issues.id, 99, [1], now)
    with any_store.begin() as work:
        assert work.advice.links(issues.id) == (
            DuplicateLink(2, 1), DuplicateLink(3, 1), DuplicateLink(3, 2),
        )  # fmt: skip
        work.erasing.issue(issues.id, 3, None, now)
    with any_store.read() as work:
        assert work.advice.links(issues.id) == (DuplicateLink(2, 1),)


def test_what_was_measured_of_duplicates_is_the_repositorys(any_store, repository) -> None:
    with any_store.begin() as work:
        work.repositories.set_duplicates(repository.id, {"n_links": 3})
    with any_store.read() as work:
        assert work.repositories.by_id(repository.id).duplicates == {"n_links": 3}
