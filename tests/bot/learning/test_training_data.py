"""What is learned from: people's labels on issues as filed, and beside them every other text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.configuration import parse
from bot.configuration.last_reading import Reading
from bot.errors import CommandRefused
from bot.evaluating.evaluation_request import EvaluationRequest
from bot.learning.training_data import training_data
from store.errors import NotStored
from store.records import IssueRecord, LabelEvent, LabelRecord
from tagger.evaluation.slices import SplitPlan

if TYPE_CHECKING:
    from store.database import Store
    from tagger.domain.issue import TrainingSet

REPO = "octo/lab"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def issue(number: int, *labels: str, pull_request: bool = False, title: str = "") -> IssueRecord:
    return IssueRecord(
        number=number,
        title=title or f"Text {number}",
        body="",
        labels=labels,
        created_at=NOW + timedelta(days=number),
        is_pull_request=pull_request,
    )


def put(store: Store, *issues: IssueRecord, labels: tuple[LabelRecord, ...] = ()) -> int:
    with store.begin() as work:
        repository_id = work.repositories.get_or_create(REPO, now=NOW).id
        work.labels.upsert(repository_id, labels, now=NOW)
        work.issues.upsert(repository_id, issues)
    return repository_id


def act(store: Store, repository_id: int, number: int, label: str, kind: str, what: str) -> None:
    event = LabelEvent(number, label, what, NOW, "somebody", kind)  # type: ignore[arg-type]
    with store.begin() as work:
        work.labels.record_events(repository_id, [event])


def configure(store: Store, repository_id: int, text: str) -> None:
    reading = Reading(NOW, rules=parse(text).as_stored())
    with store.begin() as work:
        reading.keep(work, repository_id)


def on(data: TrainingSet, number: int) -> set[str]:
    targets = data.targets[data.numbers.index(number)]
    return {name for name, there in zip(data.names, targets, strict=True) if there}


def titles(data: TrainingSet) -> list[str]:
    return [text.title for text in data.unlabelled]


def test_labelled_issues_are_learned_from_and_other_texts_stand_beside_them(store: Store) -> None:
    put(
        store,
        *(issue(1, "bug"), issue(2), issue(3, "bug", "ui"), issue(4), issue(7, "ui")),
        *(issue(5, "bug", pull_request=True), issue(6, pull_request=True)),
        labels=(LabelRecord("bug", "It is broken"), LabelRecord("rare"), LabelRecord("ui")),
    )
    data = training_data(store, REPO)
    assert data.names == ("bug", "rare", "ui")
    assert data.labels[0].description == "It is broken"
    assert data.numbers == (1, 3, 7)
    assert [on(data, n) for n in data.numbers] == [{"bug"}, {"bug", "ui"}, {"ui"}]
    assert data.positives.tolist() == [2, 0, 2]
    assert titles(data) == ["Text 4", "Text 2", "Text 6", "Text 5"]


def test_a_label_set_can_be_chosen_in_any_case_and_order(store: Store) -> None:
    put(store, issue(1, "Bug"), issue(2, "ui"), issue(3, "docs"))
    data = training_data(store, REPO, ["UI", "bug"])
    assert data.names == ("ui", "Bug")
    assert (data.numbers, titles(data)) == ((1, 2), ["Text 3"])


def test_unknown_labels_are_named_with_the_nearest_right_one(store: Store) -> None:
    put(store, issue(1, "enhancement"))
    with pytest.raises(CommandRefused, match="'enhancment'; did you mean 'enhancement'"):
        training_data(store, REPO, ["enhancment"])


def test_what_only_a_bot_set_and_what_a_person_took_off_is_not_learned(store: Store) -> None:
    repository_id = put(store, issue(1, "bug"), issue(2, "bug"), issue(3, "bug", "ui"))
    act(store, repository_id, 1, "bug", "self", "added")
    act(store, repository_id, 2, "bug", "person", "added")
    act(store, repository_id, 3, "bug", "person", "removed")
    data = training_data(store, REPO)
    assert data.numbers == (2, 3)
    assert on(data, 3) == {"ui"}
    assert titles(data) == ["Text 1"]


def dismissed(store: Store, repository_id: int, number: int, label: str) -> None:
    event = LabelEvent(number, label, "removed", NOW, "ada", "person", "suggestion", "suggestion 1")
    with store.begin() as work:
        work.labels.record_events(repository_id, [event])


def test_a_declined_label_makes_an_issue_an_example_of_what_it_is_not(store: Store) -> None:
    repository_id = put(store, issue(1, "bug"), issue(2), issue(3), issue(4), issue(5, "ui"))
    act(store, repository_id, 2, "bug", "self", "added")
    act(store, repository_id, 2, "bug", "person", "removed")
    dismissed(store, repository_id, 3, "bug")
    act(store, repository_id, 4, "bug", "bot", "added")  # another bot's word is nothing to learn
    act(store, repository_id, 4, "bug", "person", "removed")
    data = training_data(store, REPO)
    assert data.numbers == (1, 2, 3, 5)
    assert (on(data, 2), on(data, 3)) == (set(), set())
    assert training_data(store, REPO, ["ui"]).numbers == (5,), "declined was another label"


def test_who_takes_off_the_fallback_label_declines_nothing(store: Store) -> None:
    repository_id = put(store, issue(1, "bug"), issue(2))
    configure(store, repository_id, "fallback_label: Bug")
    act(store, repository_id, 2, "bug", "self", "added")
    act(store, repository_id, 2, "bug", "person", "removed")
    assert training_data(store, REPO).numbers == (1,)


def test_a_bots_label_counts_after_so_many_days_only_where_asked_for(store: Store) -> None:
    repository_id = put(store, issue(1, "bug"), issue(2, "bug"))
    act(store, repository_id, 1, "bug", "person", "added")
    act(store, repository_id, 2, "bug", "self", "added")
    later = NOW + timedelta(days=30)
    assert training_data(store, REPO, now=later).numbers == (1,)
    month = timedelta(days=30)
    assert training_data(store, REPO, now=later, confirm_after=month).numbers == (1, 2)
    configure(store, repository_id, "learning: {confirm_after_days: 30}")
    assert training_data(store, REPO, now=later).numbers == (1, 2)
    assert training_data(store, REPO, now=later, confirm_after=None).numbers == (1,)


def test_a_deleted_label_stays_as_long_as_issues_carry_it(store: Store) -> None:
    repository_id = put(
        store, issue(1, "old"), issue(2, "bug"), labels=(LabelRecord("old"), LabelRecord("gone"))
    )
    with store.begin() as work:
        work.labels.upsert(repository_id, [LabelRecord("bug")], now=NOW, complete=True)
    assert training_data(store, REPO).names == ("bug", "old")


def test_the_configured_wording_reaches_the_strategies(store: Store) -> None:
    repository_id = put(store, issue(1, "c: Privacy"))
    text = 'labels: {"c: Privacy": {name: privacy, description: "Personal data."}}'
    configure(store, repository_id, text)
    label = training_data(store, REPO).labels[0]
    assert (label.name, label.description) == ("c: Privacy", "Personal data.")
    assert label.aliases == ("privacy",)


def test_the_same_rows_give_the_same_fingerprint(store: Store) -> None:
    put(store, issue(1, "bug"), issue(2))
    before = training_data(store, REPO).fingerprint
    assert training_data(store, REPO).fingerprint == before
    put(store, issue(3, "bug"))
    assert training_data(store, REPO).fingerprint != before


def test_a_repository_without_labels_is_refused_with_the_way_out(store: Store) -> None:
    put(store, issue(1), issue(2))
    with pytest.raises(CommandRefused, match="has no labels; bring them in"):
        training_data(store, REPO)


def test_a_repository_that_is_not_stored_is_refused(store: Store) -> None:
    with pytest.raises(NotStored, match="octo/lab"):
        training_data(store, REPO)


@pytest.mark.parametrize(
    ("days", "expected"), [(None, "as configured"), (0, None), (30, timedelta(days=30))]
)
def test_an_evaluation_switches_the_rule_with_days(days: int | None, expected: object) -> None:
    request = EvaluationRequest(SplitPlan(), ("knn",), None, 1, days, NOW)
    assert request.confirm_after == expected
    assert EvaluationRequest.of_json(request.to_json()) == request


def typed(number: int, issue_type: str, *labels: str) -> IssueRecord:
    return replace(issue(number, *labels), type=issue_type)


TYPES = "types: {Bug: , Feature: [enhancement]}"


def test_types_are_learned_from_types_and_from_labels_that_mean_the_same(store: Store) -> None:
    repository_id = put(
        store,
        *(
            typed(1, "Bug"),
            issue(2, "bug"),
            issue(3, "enhancement"),
            typed(4, "Bug", "enhancement"),
        ),
        *(typed(5, "Epic", "bug"), issue(6, "docs")),
    )
    configure(store, repository_id, TYPES)
    data = training_data(store, REPO)
    assert data.names == ("bug", "docs", "enhancement", "type = Bug", "type = Feature")
    assert [on(data, number) for number in data.numbers] == [
        {"type = Bug"}, {"bug", "type = Bug"}, {"enhancement", "type = Feature"},
        {"enhancement", "type = Bug"}, {"bug"}, {"docs"},
    ]  # fmt: skip


FIELDS = "fields: {Priority: {values: {Low: [someday]}}}"


def with_fields(number: int, fields: dict[str, str], *labels: str) -> IssueRecord:
    return replace(issue(number, *labels), fields=fields)


def test_values_of_fields_are_learned_from_fields_and_from_labels_that_mean_the_same(
    store: Store,
) -> None:
    repository_id = put(
        store,
        with_fields(1, {"Priority": "High", "Effort": "Low"}),
        *(issue(2, "priority: high"), issue(3, "someday")),
        with_fields(4, {"Priority": "Low"}, "priority: high"),
        *(with_fields(5, {"Effort": "Low"}, "docs"), issue(6, "someday", "priority: high")),
    )
    configure(store, repository_id, FIELDS)
    data = training_data(store, REPO)
    high, low = "field = Priority: High", "field = Priority: Low"
    assert data.names == ("docs", high, low, "priority: high", "someday")
    assert [on(data, number) for number in data.numbers] == [
        {high}, {"priority: high", high}, {"someday", low}, {"priority: high", low}, {"docs"},
        {"someday", "priority: high"},
    ]  # fmt: skip
    configure(store, repository_id, "mode: apply")
    assert training_data(store, REPO).names == ("docs", "priority: high", "someday")


def test_a_value_that_a_person_cleared_is_no_example_and_one_of_a_bot_neither(
    store: Store,
) -> None:
    rows = [with_fields(number, {"Priority": "High"}, "docs") for number in (1, 2)]
    repository_id = put(store, *rows)
    configure(store, repository_id, "fields: [Priority]")
    act(store, repository_id, 1, "field = Priority: High", "bot", "added")
    act(store, repository_id, 1, "docs", "person", "added")  # which says nothing of the field
    data = training_data(store, REPO)
    assert (on(data, 1), on(data, 2)) == ({"docs"}, {"docs", "field = Priority: High"})


def test_without_types_in_the_file_none_is_learned(store: Store) -> None:
    repository_id = put(store, typed(1, "Bug", "bug"), typed(2, "Bug"))
    configure(store, repository_id, "mode: apply")
    data = training_data(store, REPO)
    assert (data.names, data.numbers) == (("bug",), (1,))


def test_a_type_that_a_person_took_from_the_bot_is_an_example_of_what_it_is_not(
    store: Store,
) -> None:
    repository_id = put(store, issue(1, "bug"), issue(2, "bug"))
    configure(store, repository_id, TYPES)
    act(store, repository_id, 1, "type = Bug", "self", "added")
    act(store, repository_id, 1, "type = Bug", "person", "removed")
    data = training_data(store, REPO)
    assert (on(data, 1), on(data, 2)) == ({"bug"}, {"bug", "type = Bug"})


def test_a_type_that_only_the_bot_set_is_no_example(store: Store) -> None:
    repository_id = put(store, typed(1, "Bug"), typed(2, "Bug"))
    configure(store, repository_id, TYPES)
    act(store, repository_id, 1, "type = Bug", "self", "added")
    act(store, repository_id, 1, "docs", "person", "added")  # which says nothing of the type
    data = training_data(store, REPO)
    assert (data.numbers, on(data, 2)) == ((2,), {"type = Bug"})


def test_a_label_that_stands_beside_a_type_on_most_issues_means_it(store: Store) -> None:
    beside = [typed(number, "Bug", "defect", "ui") for number in range(1, 11)]
    others = [typed(number, "Feature", "ui") for number in range(11, 20)]
    repository_id = put(store, *beside, *others, issue(20, "defect"), issue(21, "ui"))
    configure(store, repository_id, "types: {Bug: , Feature: }")
    data = training_data(store, REPO)
    assert (on(data, 20), on(data, 21)) == ({"defect", "type = Bug"}, {"ui"})
