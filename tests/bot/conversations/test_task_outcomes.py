"""What an issue is told of a training or report that was asked for on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.conversations.task_answers import asked_for, ended

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPO = "acme/rocket"
AT = "2026-03-01T12:34:56+00:00"


@pytest.mark.parametrize(
    ("kind", "waits", "begins"),
    [
        ("retrain", False, "A training is asked for; it runs beside"),
        ("report", True, "A report was asked for already and still waits; it runs beside"),
    ],
)
def test_what_is_asked_for_is_named(kind, waits, begins) -> None:
    assert asked_for(kind, waits=waits).startswith(begins)


@pytest.mark.parametrize(
    ("end", "line"),
    [
        ("done", "The training ended 2026-03-01 12:34 UTC: `r2 <b>serves`."),
        ("refused", "The training was refused 2026-03-01 12:34 UTC: `r2 <b>serves`."),
        ("given up", "The training failed again and again and was given up 2026-03-01 12:34 UTC;"),
    ],
)
def test_what_came_of_it_is_one_line(store, end, line) -> None:
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
    told = {"end": end, "said": "r2 <b>serves", "at": AT, "page": "https://github.com/x"}
    assert ended("retrain", told, repository).startswith(line)


def test_a_report_is_linked_where_it_is_an_issue(store) -> None:
    page = f"https://github.com/{REPO}/issues/4"
    told = {"end": "done", "said": "report in issue #9", "at": AT, "page": page}
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
        assert "see [#9]" not in ended("report", told, repository)
        work.repositories.set_report_issue(repository.id, 9)
        repository = work.repositories.get(REPO)
    assert "see [#9](https://redirect.github.com/acme/rocket/issues/9)" in ended(
        "report", told, repository
    )
    assert "see [" not in ended("retrain", told, repository)
