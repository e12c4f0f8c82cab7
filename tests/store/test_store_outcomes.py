"""What came of what the bot said: every kind of answer, told from the label history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from store.provenance import Act, ImplicitConsent, answer_to
from store.records import (
    IssueRecord,
    LabelEvent,
    LabelRecord,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
)

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import LabelOutcome, Repository

HOUR = timedelta(hours=1)


def spoke(name: str, action: str, **more: object) -> PredictedLabel:
    decision = "abstain" if action == "none" else "apply"
    return PredictedLabel(name, 0.9, 0.8, decision, "knn", action=action, **more)  # type: ignore[arg-type]


class Scene:
    """A repository in which the bot speaks and people answer, an hour apart."""

    def __init__(self, store: Store, repository: Repository, now: datetime) -> None:
        self.store, self.repository, self.now = store, repository, now
        with store.begin() as work:
            work.releases.add(repository.id, ReleaseRecord("r1", now, "r1", "abc", {}))
            issues = [IssueRecord(n, f"Issue {n}", "", (), now) for n in range(1, 6)]
            work.issues.upsert(repository.id, issues)

    def predict(self, number: int, *labels: PredictedLabel, inclusion: float | None = None) -> None:
        self.now += HOUR
        record = PredictionRecord(
            self.repository.id, number, "r1", self.now, "apply", labels, None, inclusion
        )
        with self.store.begin() as work:
            assert work.predictions.record(record)
        for label in labels:
            if label.action == "set":
                self.act(number, label.name, "added", "self")

    def act(self, number: int, label: str, action: str, kind: str = "person") -> datetime:
        self.now += HOUR
        event = LabelEvent(number, label, action, self.now, "ada", kind)  # type: ignore[arg-type]
        with self.store.begin() as work:
            work.labels.record_events(self.repository.id, [event])
            there = set(work.issues.get(self.repository.id, number).labels)
            there = there | {label} if action == "added" else there - {label}
            issue = IssueRecord(number, f"Issue {number}", "", tuple(there), self.now)
            work.issues.upsert(self.repository.id, [issue])
        return self.now

    def outcomes(self, **given: object) -> dict[tuple[int, str], LabelOutcome]:
        with self.store.read() as work:
            found = list(work.outcomes.walk(self.repository.id, **given))  # type: ignore[arg-type]
        return {(one.number, one.label): one for one in found}

    def answers(self, **given: object) -> dict[tuple[int, str], str]:
        return {key: one.answer for key, one in self.outcomes(**given).items()}


@pytest.fixture
def scene(any_store: Store, repository: Repository, now: datetime) -> Scene:
    return Scene(any_store, repository, now)


def test_every_kind_of_answer_is_told(scene: Scene):
    scene.predict(1, spoke("bug", "set"), spoke("ui", "suggested"), spoke("docs", "none"))
    assert scene.answers() == {(1, "bug"): "none", (1, "ui"): "none"}
    dismissed = scene.act(1, "ui", "removed")
    found = scene.outcomes()
    assert found[1, "ui"].answer == "dismissed"
    assert found[1, "ui"].answered_at == dismissed
    assert found[1, "bug"].answer == "confirmed", "kept while a person answered the other"
    assert found[1, "bug"].reviewed_at == dismissed
    scene.act(1, "bug", "removed")
    scene.act(1, "ui", "added")
    assert scene.answers() == {(1, "bug"): "removed", (1, "ui"): "confirmed"}


def test_what_was_only_thought_is_told_when_asked_for(scene: Scene):
    scene.predict(1, spoke("bug", "none"), spoke("docs", "none"))
    scene.act(1, "bug", "added")
    assert scene.outcomes() == {}
    assert scene.answers(everything=True) == {(1, "bug"): "added", (1, "docs"): "none"}


def test_an_audited_issue_tells_of_every_label_with_its_probability(scene: Scene):
    asked = spoke("bug", "suggested", drawn="audit", inclusion=0.01)
    scene.predict(2, asked, spoke("docs", "none", drawn="audit"), inclusion=0.02)
    found = scene.outcomes()
    assert (found[2, "bug"].inclusion, found[2, "bug"].issue_inclusion) == (0.01, 0.02)
    assert (found[2, "docs"].inclusion, found[2, "docs"].issue_inclusion) == (None, 0.02)
    assert found[2, "docs"].drawn == "audit"


def test_of_several_predictions_the_first_that_did_something_counts(scene: Scene):
    scene.predict(1, spoke("bug", "none", drawn="audit"), spoke("ui", "suggested"))
    scene.predict(1, spoke("bug", "set"), spoke("ui", "none"))
    began = scene.now
    found = scene.outcomes()
    assert {key: one.action for key, one in found.items()} == {
        (1, "bug"): "set", (1, "ui"): "suggested",
    }  # fmt: skip
    assert scene.outcomes(since=began + HOUR) == {}
    assert set(scene.outcomes(until=found[1, "bug"].at)) == {(1, "bug"), (1, "ui")}


def test_a_renamed_label_is_told_under_its_present_name(scene: Scene):
    with scene.store.begin() as work:
        work.labels.upsert(scene.repository.id, [LabelRecord("bug")], now=scene.now)
    scene.predict(1, spoke("bug", "set"))
    with scene.store.begin() as work:
        work.labels.rename(scene.repository.id, "bug", "defect")
    scene.act(1, "defect", "removed")
    assert scene.answers() == {(1, "defect"): "removed"}


def test_issues_come_newest_first_and_labels_by_name(scene: Scene):
    for number in (2, 5, 1):
        scene.predict(number, spoke("ui", "set"), spoke("bug", "set"))
    assert list(scene.outcomes()) == [
        (number, name) for number in (5, 2, 1) for name in ("bug", "ui")
    ]


def test_patience_confirms_what_stood_so_long(scene: Scene):
    scene.predict(1, spoke("bug", "set"))
    week = timedelta(days=7)
    late = ImplicitConsent(week, scene.now + week)
    assert scene.answers(patience=late) == {(1, "bug"): "confirmed"}
    assert scene.answers(patience=ImplicitConsent(week, scene.now)) == {(1, "bug"): "none"}


def test_a_label_that_nobody_recorded_counts_as_a_persons(now: datetime):
    assert answer_to("bug", "none", {"bug"}, []) == ("added", None)
    assert answer_to("bug", "none", set(), []) == ("none", None)


def test_what_another_bot_does_is_no_answer(now: datetime):
    acts = [Act("bug", "added", "self", now), Act("ui", "added", "bot", now + HOUR)]
    assert answer_to("bug", "set", {"bug", "ui"}, acts) == ("none", None)
    assert answer_to("ui", "none", {"bug", "ui"}, acts) == ("none", None)
    gone = [*acts, Act("bug", "removed", "bot", now + 2 * HOUR)]
    assert answer_to("bug", "set", {"ui"}, gone) == ("none", None)
