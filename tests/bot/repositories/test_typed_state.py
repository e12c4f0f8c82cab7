"""Revision 0008: what was one JSON document a row becomes columns, and goes back again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from bot.configuration import Problem
from bot.configuration.intake_rules import IntakeRules
from bot.configuration.last_reading import FileAtPlace, Reading
from bot.conversations.configuration_notice import ShownNotice
from bot.github.resource import KnownPage
from bot.labelling.opt_out import is_told_off
from bot.receiving.repository_labels import LabelList
from store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = "2026-03-01T12:00:00+00:00"
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEMORY = {
    "lot": "acme/old",
    "report_issue": 12,
    "no_suggestions_since": "2026-03-01T13:00:00+01:00",
    "left": {"why": "it is archived", "at": AT},
    "configuration": {
        "checked_at": AT,
        "valid": '{"mode": "apply"}',
        "intake": {"delay_seconds": 5, "fallback_label": "triage"},
        "problems": [[3, "mode", "is wrong"], "as one line"],
        "places": {"repository": {"etag": "e", "text": "mode: apply"}, "organisation": {}},
    },
    "label_list": {
        "pages": {"https://api.test/1": {"etag": "a", "next": "https://api.test/2"}},
        "labels": [["bug", 7], ["docs", None]],
    },
    "configuration_notice": {"failing": True, "head": "c0ffee", "check_run": 4, "issue": -1},
}
ISSUE_MEMORY = {"answer_comment": -1, "suggestion_comment": 99, "off": AT, "retry": None}
GATE = {"promote": True, "reason": "not worse", "n_issues": 2, "figures": [], "labels": []}
PROVENANCE = {
    "learned_from": [1, 2],
    "held_out": 2,
    "events_until": 17,
    "replay": {"against": "r0", "labels": ["bug"], "renames": {}, "issues": [[1, [0]], [2, []]]},
}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_of_before(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database of revision 0007 with what the bot knew then; the test's own."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/x.db" if is_sqlite else request.getfixturevalue("postgres_url")
    with Store(url) as store:
        store.migrate("base")
        store.migrate("0007")
        _fill(store)
        yield store
        store.migrate("base")
        store.migrate()


def _fill(store: Store) -> None:
    repository = "(full_name, name_key, created_at, cursors, memory)"
    issue = "(repository_id, number, is_pull_request, filed_title, filed_body, title, body, state,"
    release = "(repository_id, id, created_at, location, digest, state, manifest, gate)"
    for_issues = {"at": AT, "no": False}
    with store.migrating() as connection:
        for name, memory in (("a/b", MEMORY), ("a/c", {}), ("a/d", {"configuration": {}})):
            connection.execute(
                text(f"INSERT INTO repositories {repository} VALUES (:n, :n, :at, '{{}}', :m)"),
                {"n": name, "m": json.dumps(memory), "at": AT},
            )
        of_it = "SELECT id FROM repositories WHERE name_key = 'a/b'"
        for number, memory in ((1, ISSUE_MEMORY), (2, {}), (3, {"retry": AT, "off": AT})):
            connection.execute(
                text(
                    f"INSERT INTO issues {issue} created_at, memory) "
                    f"VALUES (({of_it}), :n, :no, 't', 'b', 't', 'b', 'open', :at, :m)"
                ),
                {"n": number, "m": json.dumps(memory), **for_issues},
            )
        for name, gate in (("r1", {**GATE, **PROVENANCE}), ("r2", {**GATE, "replay": None})):
            connection.execute(
                text(
                    f"INSERT INTO releases {release} "
                    f"VALUES (({of_it}), :n, :at, 'x', 'd', 'staged', '{{}}', :g)"
                ),
                {"n": name, "g": json.dumps(gate), "at": AT},
            )
        connection.execute(
            text(
                f"INSERT INTO releases {release} VALUES (({of_it}), 'r3', :at, 'x', 'd', "
                "'staged', '{}', NULL)"
            ),
            {"at": AT},
        )


def _documents(store: Store, query: str) -> list[Any]:
    with store.migrating() as connection:
        values = connection.execute(text(query)).scalars().all()
    return [json.loads(value) if isinstance(value, str) else value for value in values]


def test_what_was_known_of_a_repository_is_known(store_of_before: Store):
    store_of_before.migrate()
    with store_of_before.read() as work:
        full, empty, never_read = work.repositories.all()
    assert (full.holdout_key, full.report_issue) == ("acme/old", 12)
    assert (full.no_suggestions_since, full.left_at) == (WHEN, WHEN)
    assert full.left_because == "it is archived"
    assert Reading.of(full) == Reading(
        WHEN,
        '{"mode": "apply"}',
        IntakeRules(5, "triage"),
        (Problem(3, "mode", "is wrong"), Problem(1, "", "as one line")),
        {"repository": FileAtPlace("e", "mode: apply"), "organisation": FileAtPlace()},
    )
    assert LabelList.of(full) == LabelList(
        {"https://api.test/1": KnownPage("a", "https://api.test/2")}, (("bug", 7), ("docs", None))
    )
    assert ShownNotice.of(full) == ShownNotice(failing=True, head="c0ffee", check_run=4, issue=-1)
    for repository in (empty, never_read):
        assert (repository.holdout_key, repository.report_issue) == (None, None)
        assert (repository.left_at, repository.left_because) == (None, None)
        assert (Reading.of(repository), LabelList.of(repository)) == (None, LabelList())
        assert ShownNotice.of(repository) == ShownNotice()


def test_what_was_known_of_an_issue_is_known(store_of_before: Store):
    store_of_before.migrate()
    with store_of_before.read() as work:
        repository_id = work.repositories.get("a/b").id
        first, second, third = (work.issues.get(repository_id, number) for number in (1, 2, 3))
    assert (first.answer_comment_id, first.suggestion_comment_id) == (-1, 99)
    assert (first.opted_out_at, first.opted_in_at) == (WHEN, None)
    assert (second.answer_comment_id, second.opted_out_at) == (None, None)
    assert list(map(is_told_off, (first, second, third))) == [True, False, True]


def test_documents_come_back_as_they_were(store_of_before: Store):
    for _ in range(2):
        store_of_before.migrate()
        store_of_before.migrate("0007")
    full, empty, never_read = _documents(
        store_of_before, "SELECT memory FROM repositories ORDER BY name_key"
    )
    configuration = dict(MEMORY["configuration"])
    configuration["problems"] = [[3, "mode", "is wrong"], [1, "", "as one line"]]
    assert full == {**MEMORY, "configuration": configuration, "no_suggestions_since": AT}
    assert (empty, never_read) == ({}, {"configuration": {"problems": []}})
    issues = _documents(store_of_before, "SELECT memory FROM issues ORDER BY number")
    without_retry = {key: value for key, value in ISSUE_MEMORY.items() if value is not None}
    assert issues == [without_retry, {}, {"retry": AT, "off": AT}]
    releases = _documents(store_of_before, "SELECT gate FROM releases ORDER BY id")
    assert releases == [{**GATE, **PROVENANCE}, GATE, None]
