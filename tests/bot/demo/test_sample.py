"""The sample repository: GitHub's shapes, real variety, and answers held back."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from bot import sample
from bot.evaluating.benchmarking import sample_data

Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    lines = sample.issues().read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def issues(rows: list[Row]) -> list[Row]:
    return [row for row in rows if "pull_request" not in row]


@pytest.fixture(scope="module")
def label_names() -> set[str]:
    return {label["name"] for label in json.loads(sample.labels().read_text(encoding="utf-8"))}


def names_of(row: Row) -> set[str]:
    return {label["name"] for label in row["labels"]}


def test_repository_is_owner_and_name() -> None:
    assert len(sample.REPOSITORY.split("/")) == 2


def test_rows_have_the_shape_of_rest_issues(rows: list[Row]) -> None:
    for row in rows:
        assert isinstance(row["number"], int)
        assert isinstance(row["title"], str)
        assert row["title"].strip()
        assert row["body"] is None or isinstance(row["body"], str)
        assert row["state"] in {"open", "closed"}
        assert (row["closed_at"] is None) == (row["state"] == "open")
        assert row["user"]["type"] == ("Bot" if "[bot]" in row["user"]["login"] else "User")


def test_labels_have_the_shape_of_rest_labels() -> None:
    labels = json.loads(sample.labels().read_text(encoding="utf-8"))
    assert 9 <= len(labels) <= 11
    for label in labels:
        assert label["name"]
        assert label["description"]
        assert len(bytes.fromhex(label["color"])) == 3


def test_there_are_a_few_hundred_issues_and_some_pull_requests(rows: list[Row]) -> None:
    kinds = Counter("pull_request" in row for row in rows)
    assert kinds[False] >= 320
    assert kinds[True] >= 40


def test_numbers_and_dates_rise_together_over_two_years(rows: list[Row]) -> None:
    numbers = [row["number"] for row in rows]
    dates = [datetime.fromisoformat(row["created_at"]) for row in rows]
    assert numbers == sorted(set(numbers))
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).days > 700


def test_only_the_published_labels_are_used(rows: list[Row], label_names: set[str]) -> None:
    assert set().union(*map(names_of, rows)) == label_names


def test_pull_requests_carry_no_labels(rows: list[Row]) -> None:
    assert not any(row["labels"] for row in rows if "pull_request" in row)


def test_labels_are_skewed_and_one_is_too_rare_to_learn(issues: list[Row]) -> None:
    labelled = [row for row in issues if row["labels"]]
    counts = Counter(name for row in labelled for name in names_of(row))
    assert len(labelled) >= 280
    assert 0.4 < counts["bug"] / len(labelled) < 0.55
    assert 3 <= counts["accessibility"] <= 5
    several = sum(len(row["labels"]) > 1 for row in labelled)
    assert several / len(labelled) > 0.6


def test_expected_answers_are_for_exactly_the_unlabelled_issues(
    issues: list[Row], label_names: set[str]
) -> None:
    expected = sample.expected()
    assert set(expected) == {row["number"] for row in issues if not row["labels"]}
    assert len(expected) >= 40
    for names in expected.values():
        assert names
        assert names <= label_names


def test_issues_to_be_tagged_are_open_and_newer_than_all_that_is_learned_from(
    issues: list[Row],
) -> None:
    expected = sample.expected()
    unseen = [row for row in issues if row["number"] in expected]
    learned = [row["number"] for row in issues if row["number"] not in expected]
    assert min(expected) > max(learned)
    assert {row["state"] for row in unseen} == {"open"}


def test_no_title_and_no_body_comes_twice(rows: list[Row]) -> None:
    titles = Counter(row["title"].casefold() for row in rows)
    bodies = Counter(" ".join(row["body"].casefold().split()) for row in rows if row["body"])
    assert titles.most_common(1)[0][1] == 1
    assert bodies.most_common(1)[0][1] == 1


def test_bodies_vary_like_those_of_real_reporters(issues: list[Row]) -> None:
    bodies = [row["body"] for row in issues]
    assert None in bodies
    assert "" in bodies
    texts = [body for body in bodies if body]
    for trait in ("```", "<!--", "### ", "- [ ]", "\r\n", "goroutine", "同期", "página"):
        assert any(trait in text for text in texts), trait
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) < 10
    assert max(lengths) > 150
    assert sum(lengths) / len(lengths) > 40


def test_the_invented_repository_has_labelled_issues_only() -> None:
    name, data = sample_data()
    assert "/" in name
    assert len(data) > 200
    assert data.targets.any(axis=1).all()
    assert len(set(data.numbers)) == len(data)
