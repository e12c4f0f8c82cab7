"""Every shape of export that people have comes in whole, and `import` says which it was."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from made_exports import EXPORTS, ISSUES, REPO, Export, Made, events, gh, lines, node, rest

from bot.repositories.importing import Imported, ImportRequest, import_files

if TYPE_CHECKING:
    from store.database import Store
    from store.records import StoredIssue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODECS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16 LE",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}
NO_PLAIN_UTF_8 = {
    *("UTF-16 with a mark", "UTF-16 without a mark", "UTF-8 with a mark"),
    *("gzip", "Zstandard", "Parquet"),
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "exports.md"


def content(export: Export) -> bytes:
    try:
        return export.bytes()
    except ImportError:
        pytest.skip("pyarrow is not installed")


def brought_in(store: Store, path: Path, content: bytes, **columns: str) -> Imported:
    path.write_bytes(content)
    return import_files(store, REPO, ImportRequest([path], columns=columns), now=NOW)


def stored(store: Store) -> dict[int, StoredIssue]:
    with store.read() as work:
        repository_id = work.repositories.get(REPO).id
        return {issue.number: issue for issue in work.issues.walk(repository_id, every_kind=True)}


def as_made(issue: StoredIssue) -> Made:
    created_at = issue.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Made(
        issue.number, issue.title, issue.labels, issue.state, issue.author or "", created_at,
        issue.body,
    )  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_comes_in_whole_and_is_called_what_it_is(
    store: Store, tmp_path: Path, name: str
) -> None:
    export = EXPORTS[name]
    done = brought_in(store, tmp_path / "export", content(export), **export.columns)
    assert (done.bad, [file.shape for file in done.files]) == (0, [export.shape])
    wanted = [issue for issue in ISSUES if issue.number in export.only]
    assert [as_made(issue) for _, issue in sorted(stored(store).items())] == wanted
    assert not any(issue.is_pull_request for issue in stored(store).values())


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstandard"])
@pytest.mark.parametrize("name", sorted(set(EXPORTS) - {"gzip", "Zstandard"}))
def test_every_shape_may_be_compressed(store: Store, tmp_path: Path, name: str, pack: Any) -> None:
    export = EXPORTS[name]
    done = brought_in(store, tmp_path / "export", pack(content(export)), **export.columns)
    assert (done.bad, done.files[0].shape) == (0, export.shape)
    assert set(stored(store)) == set(export.only)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", sorted(set(EXPORTS) - NO_PLAIN_UTF_8))
def test_every_text_may_be_in_every_encoding(
    store: Store, tmp_path: Path, name: str, codec: str
) -> None:
    export = EXPORTS[name]
    text = content(export).decode().encode(codec)
    done = brought_in(store, tmp_path / "export", text, **export.columns)
    assert (done.bad, done.files[0].shape) == (0, export.shape)
    assert {as_made(issue) for issue in stored(store).values()} == {
        issue for issue in ISSUES if issue.number in export.only
    }
    assert done.files[0].encoding == CODECS[codec]


def test_the_document_lists_the_shapes_that_are_tested() -> None:
    listed = dict(table_rows("what it is"))
    assert listed == {name: export.shape for name, export in EXPORTS.items()}
    assert len(listed) >= 16


def table_rows(first_cell: str) -> list[tuple[str, str]]:
    """First and last cell of each row of the document's table that begins so."""
    _, _, after = DOCUMENT.read_text("utf-8").partition(f"\n| {first_cell} |")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    cells = [re.split(r"(?<!\\)\|", row.strip("|")) for row in rows]
    return [(row[0].strip(), row[-1].strip()) for row in cells]


def test_of_an_archives_events_the_newest_state_wins_and_the_oldest_words_are_as_filed(
    store: Store, tmp_path: Path
) -> None:
    done = brought_in(store, tmp_path / "hour.json", lines(events()).encode())
    issue = stored(store)[1]
    assert (issue.title, issue.filed_title) == (ISSUES[0].title, "Crash")
    assert (issue.labels, issue.state) == (ISSUES[0].labels, "open")
    assert done.files[0].left_out == {
        "pull requests": 1,
        "events about no issue": 1,
        "issues of other repositories": 1,
    }


def test_an_older_state_in_a_later_file_changes_nothing(store: Store, tmp_path: Path) -> None:
    middle, newest, oldest, *_ = events()
    brought_in(store, tmp_path / "2.json", lines([newest]).encode())
    brought_in(store, tmp_path / "1.json", lines([middle, oldest]).encode())
    assert as_made(stored(store)[1]) == ISSUES[0]


BROKEN_BESIDES = {
    "id": "I_kwDO",
    "user": {"login": 7, "id": "U_1"},
    "author_association": 7,
    "closed_at": "",
    "locked": "perhaps",
    "html_url": 7,
    "repository_url": None,
    "milestone": [{}],
    "reactions": "many",
    "pull_request": None,
    "assignees": 7,
    "type": 3,
}


@pytest.mark.parametrize("name", BROKEN_BESIDES)
def test_a_field_that_import_does_not_need_costs_no_row(
    store: Store, tmp_path: Path, name: str
) -> None:
    row = rest(ISSUES[0], **{name: BROKEN_BESIDES[name]})
    done = brought_in(store, tmp_path / "issues.jsonl", lines([row]).encode())
    assert (done.bad, done.issues.new) == (0, 1)


@pytest.mark.parametrize(
    ("field", "is_pull_request"),
    [
        ({"pull_request": None}, False),
        ({"pull_request": {}}, False),
        ({"pull_request": {"url": "https://api.github.test"}}, True),
        ({"html_url": f"https://github.test/{REPO}/pull/1"}, True),
        ({"__typename": "PullRequest"}, True),
        ({"isPullRequest": True}, True),
    ],
)
def test_a_pull_request_is_one_that_says_something(
    store: Store, tmp_path: Path, field: dict[str, Any], is_pull_request: bool
) -> None:
    brought_in(store, tmp_path / "issues.jsonl", lines([rest(ISSUES[0], **field)]).encode())
    assert stored(store)[1].is_pull_request is is_pull_request


def test_a_label_without_a_name_is_left_out_and_counted_and_its_issue_stays(
    store: Store, tmp_path: Path
) -> None:
    labels = [{"name": "bug"}, {"name": None}, {}, None, 7, {"name": " "}, "ui"]
    done = brought_in(
        store, tmp_path / "issues.jsonl", lines([rest(ISSUES[0], labels=labels)]).encode()
    )
    assert (done.bad, done.files[0].nameless_labels) == (0, 5)
    assert stored(store)[1].labels == ("bug", "ui")
    assert str(done.files[0]).endswith("(UTF-8); left out: 5 labels without a name")


@pytest.mark.parametrize(
    ("state", "closed_at", "folded"),
    [
        ("OPEN", None, "open"),
        ("Closed", None, "closed"),
        ("MERGED", None, "closed"),
        ("opened", None, "open"),
        (None, None, "open"),
        (None, "2026-01-05T00:00:00Z", "closed"),
    ],
)
def test_states_are_folded_where_they_come_in(
    store: Store, tmp_path: Path, state: str | None, closed_at: str | None, folded: str
) -> None:
    row = gh(ISSUES[0], state=state, closedAt=closed_at)
    brought_in(store, tmp_path / "issues.json", json.dumps([row]).encode())
    assert stored(store)[1].state == folded


def test_half_a_page_of_labels_is_no_row_to_learn_from(store: Store, tmp_path: Path) -> None:
    labels = {"totalCount": 30, "nodes": [{"name": "bug"}]}
    rows = [node(ISSUES[0], labels=labels), node(ISSUES[1])]
    done = brought_in(store, tmp_path / "nodes.json", json.dumps(rows).encode())
    assert str(done.first_bad[0]) == (
        "nodes.json:1 (row 1): labels: not all of them are here; ask for labels(first: 100)"
    )
    assert set(stored(store)) == {2}


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ({"data": {"repository": {"issues": {"nodes": []}}}}, 0),
        ({"data": {"repository": {"issues": {"nodes": [{"id": "I_1", "body": "b"}]}}}}, 1),
        ({"data": {"repository": {"issues": {"edges": [{"node": None}]}}}}, 1),
        ({"data": {"viewer": {"login": "ada"}}}, 1),
        ({"total_count": 0, "items": []}, 0),
        ({"nodes": [{"id": "I_1"}, None]}, 2),
        ({"issues": [{"key": "LAB-7", "fields": {"summary": "Crash"}}]}, 1),
        ([], 0),
    ],
)
def test_an_answer_without_issues_is_empty_or_bad_and_never_lost(
    store: Store, tmp_path: Path, answer: object, rows: int
) -> None:
    done = brought_in(store, tmp_path / "answer.json", json.dumps(answer).encode())
    assert (done.bad, done.issues.new) == (rows, 0)


def test_issues_of_many_repositories_in_one_answer_are_parted(store: Store, tmp_path: Path) -> None:
    def repository(name: str, *issues: Made) -> dict[str, Any]:
        nodes = [node(issue, repository={"nameWithOwner": name}) for issue in issues]
        return {"name": name, "issues": {"nodes": nodes}}

    nodes = [repository(REPO, *ISSUES[:2]), repository("octo/other", ISSUES[2])]
    answer = {"data": {"organization": {"repositories": {"nodes": nodes}}}}
    done = brought_in(store, tmp_path / "answer.json", json.dumps(answer).encode())
    assert set(stored(store)) == {1, 2}
    assert done.files[0].left_out == {"issues of other repositories": 1}


def test_a_bad_row_of_an_array_is_named_by_its_line_and_place(store: Store, tmp_path: Path) -> None:
    rows = [rest(ISSUES[0]), rest(ISSUES[1], created_at="yesterday"), None, rest(ISSUES[2])]
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    done = brought_in(store, tmp_path / "issues.json", text.encode())
    assert str(done.first_bad[0]).startswith("issues.json:3 (row 2): created_at: ")
    assert str(done.first_bad[1]).startswith("issues.json:4 (row 3): ")
    assert "expected an issue as a JSON object, got NoneType" in str(done.first_bad[1])
    assert set(stored(store)) == {1, 3}


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("type", {"id": 4, "name": "Bug"}, "Bug"),
        ("issueType", {"name": "Bug"}, "Bug"),
        ("type", None, ""),
        ("type", "Issue", ""),  # what other exports mean by it
        ("issueType", {}, ""),
    ],
)
def test_a_native_type_comes_in_by_its_name(
    store: Store, tmp_path: Path, field: str, value: object, kept: str
) -> None:
    text = json.dumps([rest(ISSUES[0], **{field: value})])
    brought_in(store, tmp_path / "issues.json", text.encode())
    with store.read() as work:
        assert work.issues.get(work.repositories.get(REPO).id, ISSUES[0].number).type == kept
