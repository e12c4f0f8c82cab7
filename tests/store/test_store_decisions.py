"""Decisions of people, and tokens of scripts, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store.errors import NotStored
from store.records import DecisionCounts, DecisionRecord, IssueRecord, LabelRecord


@pytest.fixture
def issues(any_store, repository, now):
    with any_store.begin() as work:
        rows = [IssueRecord(number, "title", "body", ("bug",), now) for number in (1, 2)]
        work.issues.upsert(repository.id, rows)
        work.labels.upsert(repository.id, [LabelRecord("bug"), LabelRecord("docs")], now=now)
    return repository


def decision(number: int, label: str, verdict: str, now, **more: str) -> DecisionRecord:
    return DecisionRecord(number, label, verdict, "teach", "ada", now, **more)  # type: ignore[arg-type]


def labels(store, repository, number: int = 1) -> tuple[str, ...]:
    with store.read() as work:
        return work.issues.get(repository.id, number).labels


def test_a_decision_changes_the_issue_and_its_history_until_it_is_undone(
    any_store, issues, now
) -> None:
    with any_store.begin() as work:
        added = work.decisions.record(issues.id, decision(1, "Docs", "approved", now))
        removed = work.decisions.record(issues.id, decision(1, "bug", "dismissed", now))
    assert (added.effect, removed.effect) == ("added", "removed")
    assert labels(any_store, issues) == ("Docs",)
    with any_store.read() as work:
        assert work.labels.set_by_people(issues.id, 1) == {"Docs"}
        assert work.labels.removed_by_people(issues.id, 1) == {"bug"}
        (row, _) = work.issues.training_rows(issues.id)
        acts = work.labels.acts(issues.id, [1, 2])
    assert (row.labels, row.declined) == (("Docs",), ("bug",))
    assert [act.source for act in acts[1]] == ["page", "page"]
    with any_store.begin() as work:
        for each in (added, removed):
            work.decisions.undo(each.id, now)
            assert work.decisions.undo(each.id, now).undone_at == now
    assert labels(any_store, issues) == ("bug",)
    with any_store.read() as work:
        assert work.labels.history(issues.id, 1) == ()


def test_what_github_lists_meanwhile_changes_nothing_that_was_decided_here(
    any_store, issues, now
) -> None:
    with any_store.begin() as work:
        work.decisions.record(issues.id, decision(1, "docs", "approved", now))
        work.decisions.record(issues.id, decision(1, "bug", "dismissed", now))
        later = IssueRecord(1, "another title", "body", ("bug", "new"), now)
        work.issues.upsert(issues.id, [later])
        assert work.issues.upsert(issues.id, [later]).unchanged == 1
    assert labels(any_store, issues) == ("docs", "new")


def test_once_github_knows_it_is_githubs_word_that_counts(any_store, issues, now) -> None:
    with any_store.begin() as work:
        made = work.decisions.record(issues.id, decision(1, "docs", "approved", now))
        assert [each.id for each in work.decisions.not_on_github(issues.id)] == [made.id]
        run = work.writes.open_run(issues.id, "teaching", now)
        work.decisions.mark_on_github(made.id, "added", run.id)
        assert work.decisions.not_on_github(issues.id) == ()
        work.issues.upsert(issues.id, [IssueRecord(1, "title", "body", (), now)])
    assert labels(any_store, issues) == ()
    with any_store.begin() as work:
        assert [each.id for each in work.decisions.of_run(run.id)] == [made.id]
        assert work.decisions.back_here(run.id) == 1
    assert labels(any_store, issues) == ("docs",)


def test_a_later_decision_on_the_same_label_takes_the_place_of_the_first(
    any_store, issues, now
) -> None:
    with any_store.begin() as work:
        work.decisions.record(issues.id, decision(1, "docs", "approved", now))
        work.decisions.record(
            issues.id, decision(1, "docs", "dismissed", now + timedelta(minutes=1))
        )
        in_force = work.decisions.of_issues(issues.id, [1, 2])
    assert {key: each.verdict for key, each in in_force.items()} == {(1, "docs"): "dismissed"}
    assert labels(any_store, issues) == ("bug",)


def test_skipped_issues_teach_nothing(any_store, issues, now) -> None:
    with any_store.begin() as work:
        work.decisions.record(issues.id, decision(2, "", "skipped", now))
        work.decisions.record(issues.id, decision(1, "docs", "approved", now))
        assert work.decisions.counts(issues.id) == DecisionCounts(1, 1, 1)
        assert work.labels.history(issues.id, 2) == ()
        assert len(work.decisions.not_on_github(issues.id)) == 1
        with pytest.raises(NotStored):
            work.decisions.record(issues.id, decision(3, "docs", "approved", now))
        with pytest.raises(NotStored):
            work.decisions.get(10**6)


def test_decisions_follow_a_rename_and_go_with_their_issue_and_repository(
    any_store, issues, now
) -> None:
    with any_store.begin() as work:
        work.decisions.record(issues.id, decision(1, "docs", "approved", now))
        work.decisions.record(issues.id, decision(2, "docs", "approved", now))
        work.labels.rename(issues.id, "docs", "manual")
        assert {each.label for each in work.decisions.list(issues.id)} == {"manual"}
        work.erasing.issue(issues.id, 1, None, now)
        assert [each.number for each in work.decisions.list(issues.id)] == [2]
        work.tokens.add("digest", "ci", (issues.id, "triage"), now, now + timedelta(days=1))
        run = work.writes.open_run(issues.id, "teaching", now)
        (left,) = work.decisions.list(issues.id)
        work.decisions.mark_on_github(left.id, "added", run.id)
    with any_store.begin() as work:
        assert work.erasing.repository(issues.id)
        assert work.tokens.find("digest", now) is None


def test_a_token_is_found_by_its_digest_until_it_ends_or_is_revoked(any_store, issues, now) -> None:
    until = now + timedelta(days=1)
    with any_store.begin() as work:
        token = work.tokens.add("digest", "ci", (issues.id, "admin"), now, until)
        assert work.tokens.find("digest", now) == token
        assert work.tokens.find("digest", until) is None
        assert work.tokens.find("another", now) is None
        assert work.tokens.list(issues.id) == (token,)
        assert not work.tokens.revoke(issues.id + 1, token.id)
        assert work.tokens.revoke(issues.id, token.id)
        assert work.tokens.find("digest", now) is None
