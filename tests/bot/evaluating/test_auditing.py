"""What an audit knows of each label, and what of it is shown first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.errors import CommandRefused
from bot.evaluating.auditing import (
    MIN_ISSUES,
    Audit,
    audit,
    label_uses,
    most_informative,
    of_one_kind,
)
from store.records import IssueRecord, LabelEvent, LabelRecord
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.domain.strategy import Resources, silent
from tagger.monitoring.audit import ConfusedPair, LabelUse, Suspect

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPO = "acme/rocket"


def suspect(number: int, label: str) -> Suspect:
    return Suspect(number, label, "wrong", 0.9, True)


def test_uses_of_a_label_come_from_issues_and_their_history(store) -> None:
    names, targets = ("bug", "Docs"), np.array([[True, False], [True, True]])
    data = TrainingSet(
        tuple(map(Label, names)), (1, 2), (IssueText.of("a", ""), IssueText.of("b", "")), targets
    )
    acts = [
        LabelEvent(1, "bug", "added", NOW, "ada", "person"),
        LabelEvent(2, "BUG", "added", NOW + timedelta(days=1), "eve", "unknown"),
        LabelEvent(2, "docs", "added", NOW, "tagger[bot]", "self"),
        LabelEvent(2, "bug", "removed", NOW + timedelta(days=2), "ada", "person"),
        LabelEvent(2, "gone", "added", NOW, "ada", "person"),
    ]
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
        work.issues.upsert(repository.id, [IssueRecord(n, "t", "", (), NOW) for n in (1, 2)])
        work.labels.record_events(repository.id, acts)
    bug, docs = label_uses(store, REPO, data, silent)
    assert bug == LabelUse("bug", frozenset({1, 2}), 2, 0, NOW + timedelta(days=1))
    assert docs == LabelUse("Docs", frozenset({2}), 0, 1, NOW)


def test_no_single_label_fills_the_page() -> None:
    suspects = [*(suspect(number, "bug") for number in range(9)), suspect(9, "docs")]
    chosen = most_informative(suspects, 8)
    assert [one.label for one in chosen] == ["bug", "bug", "docs"]
    assert len(most_informative(suspects, 1)) == 1


def test_a_label_and_a_type_are_not_confused_with_each_other() -> None:
    names = (("bug", "docs"), ("bug", "type = Task"), ("type = Bug", "type = Task"))
    pairs = [ConfusedPair(true, given, 3, 0.1, ()) for true, given in names]
    assert of_one_kind(pairs) == (pairs[0], pairs[2])


def test_values_are_confused_within_one_field() -> None:
    high, low, severe = (f"field = {name}" for name in ("P: High", "P: Low", "S: High"))
    names = (("bug", high), (high, low), (high, severe), ("type = Bug", high))
    pairs = [ConfusedPair(true, given, 3, 0.1, ()) for true, given in names]
    assert of_one_kind(pairs) == (pairs[1],)


def test_too_few_labelled_issues_are_told(store) -> None:
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
        work.labels.upsert(repository.id, [LabelRecord("bug")], now=NOW)
        work.issues.upsert(repository.id, [IssueRecord(1, "t", "", ("bug",), NOW)])
    expected = f"1 labelled issues, an audit needs {MIN_ISSUES}"
    with pytest.raises(CommandRefused, match=expected):
        audit(store, Resources(encoder=_none), REPO, now=NOW)


def _none():
    raise AssertionError("nothing is encoded")


def test_an_audit_as_json_names_titles_and_times() -> None:
    dead = LabelUse("old", frozenset({3}), last_set=NOW)
    new = LabelUse("new", frozenset())
    told = Audit((suspect(1, "bug"),), (), (), (dead,), (new,), {1: "A crash"})
    document = told.as_json()
    assert document["suspects"][0]["title"] == "A crash"
    assert document["dead"] == [{"name": "old", "issues": 1, "last_set": NOW.isoformat()}]
    assert document["set_by_bots_only"] == [{"name": "new", "issues": 0, "last_set": None}]
