"""Import: files of every kind come in once, bad rows are named, nothing that is stored is lost."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from bot.errors import CommandRefused
from bot.repositories.importing import Imported, ImportRequest, import_files
from store.records import UpsertCounts

if TYPE_CHECKING:
    from store.database import Store
    from store.records import StoredIssue

REPO = "octo/lab"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(number: int, **fields: Any) -> dict[str, Any]:
    issue = {"number": number, "title": f"Issue {number}", "body": "text", "labels": []}
    return {**issue, "state": "open", "created_at": "2026-01-02T03:04:05Z", **fields}


def lines(*rows: object) -> bytes:
    texts = (one if isinstance(one, str) else json.dumps(one) for one in rows)
    return "".join(f"{text}\n" for text in texts).encode()


def in_two_frames(text: bytes) -> bytes:
    return b"".join(zstandard.compress(part) for part in (text[:40], text[40:]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "issues.jsonl"


def run(store: Store, *files: Path, **options: Any) -> Imported:
    return import_files(store, REPO, ImportRequest(files, **options), now=NOW)


def stored(store: Store) -> dict[int, StoredIssue]:
    with store.read() as work:
        repository_id = work.repositories.get(REPO).id
        return {one.number: one for one in work.issues.walk(repository_id, every_kind=True)}


def labels(store: Store) -> dict[str, str]:
    with store.read() as work:
        found = work.labels.list(work.repositories.get(REPO).id)
    return {one.name: one.description for one in found}


def test_a_second_import_changes_nothing(store: Store, file: Path) -> None:
    file.write_bytes(lines(*(row(n, labels=[{"name": "bug"}, "ui"]) for n in range(1, 1200))))
    assert run(store, file).issues == UpsertCounts(new=1199)
    again = run(store, file)
    assert (again.issues, again.labels) == (UpsertCounts(unchanged=1199), 0)


def test_what_changed_on_github_changes_here_and_what_was_filed_stays(
    store: Store, file: Path
) -> None:
    file.write_bytes(lines(row(1), row(2)))
    run(store, file)
    file.write_bytes(lines(row(1, title="New title", labels=["bug"]), row(2)))
    assert run(store, file).issues == UpsertCounts(changed=1, unchanged=1)
    issue = stored(store)[1]
    assert (issue.title, issue.filed_title, issue.labels) == ("New title", "Issue 1", ("bug",))


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, zstandard.compress, in_two_frames, lambda text: b"\xef\xbb\xbf" + text],
    ids=["plain", "gzip", "zstandard", "two frames", "with a byte order mark"],
)
def test_compression_is_told_by_the_content(store: Store, file: Path, pack: Any) -> None:
    file.write_bytes(pack(lines(row(1), row(2))))
    assert run(store, file).issues.new == 2


def test_labels_come_from_their_file_and_from_issues(store: Store, file: Path) -> None:
    listed = file.with_name("labels.json")
    listed.write_text(json.dumps([{"name": "bug", "description": "It is broken", "color": "f00"}]))
    on_issue = [{"name": "Bug", "description": "old words"}, {"name": "ui", "description": "Looks"}]
    file.write_bytes(lines(row(1, labels=on_issue), row(2, labels=["plain", {"name": "ui"}])))
    assert run(store, file, labels_file=listed).labels == 3
    assert labels(store) == {"bug": "It is broken", "plain": "", "ui": "Looks"}


def test_an_import_without_a_label_file_keeps_descriptions(store: Store, file: Path) -> None:
    listed = file.with_name("labels.json")
    listed.write_text(json.dumps([{"name": "bug", "description": "It is broken"}]))
    file.write_bytes(lines(row(1, labels=["bug"])))
    run(store, file, labels_file=listed)
    assert run(store, file).labels == 0
    assert labels(store) == {"bug": "It is broken"}


def test_pull_requests_are_kept_as_such(store: Store, file: Path) -> None:
    file.write_bytes(lines(row(1), row(2, pull_request={"url": "https://github.test"})))
    run(store, file)
    assert {n: one.is_pull_request for n, one in stored(store).items()} == {1: False, 2: True}


def test_odd_texts_come_in_and_are_what_they_were_as_far_as_a_database_can(
    store: Store, file: Path
) -> None:
    bodies = ["", None, "x" * 1_000_000, "a\0b", "\ud83d", "\u2028 \x1b[31m", "👩\u200d🚀"]
    file.write_bytes(lines(*(row(n, body=body) for n, body in enumerate(bodies, 1))))
    done = run(store, file)
    assert (done.issues.new, done.bad) == (len(bodies), 0)
    kept = stored(store)
    assert [kept[n].body for n in (1, 2, 3, 7)] == ["", "", "x" * 1_000_000, "👩\u200d🚀"]
    assert "\0" not in kept[4].body


BAD_ROWS = {
    "{": "not JSON",
    '{"number": 7': "not JSON",
    "[1, 2]": "JSON array",
    '"text"': "expected an issue",
    "null": "expected an issue",
    "{}": "number",
    '{"number": 7}': "created_at",
    '{"number": 0, "created_at": "2026-01-01T00:00:00Z"}': "number",
    '{"number": "many", "created_at": "2026-01-01T00:00:00Z"}': "number",
    '{"number": 7, "created_at": "yesterday"}': "created_at",
    '{"number": 7, "created_at": "2026-01-01T00:00:00Z"}': "expected a title",
    '{"number": 7, "title": "", "created_at": "2026-01-01T00:00:00Z", "labels": 7}': "labels",
    '{"number": true, "created_at": "2026-01-01T00:00:00Z"}': "number: Value error, expected a",
    '{"number": 99999999999999999999, "created_at": "2026-01-01T00:00:00Z"}': "number",
    "[" * 100_000: "not JSON",
}


@pytest.mark.parametrize("text", BAD_ROWS, ids=lambda text: text[:40])
def test_a_bad_row_is_named_by_its_line_and_skipped(store: Store, file: Path, text: str) -> None:
    file.write_bytes(lines(row(1), "", text, row(2)))
    done = run(store, file)
    assert (done.issues.new, done.bad) == (2, 1)
    assert str(done.first_bad[0]).startswith("issues.jsonl:3: ")
    assert BAD_ROWS[text] in str(done.first_bad[0])


def test_a_first_line_that_is_no_json_is_a_bad_row_too(store: Store, file: Path) -> None:
    file.write_bytes(b"A new release of gh is available, get it\n" + lines(row(1), row(2)))
    done = run(store, file)
    assert (done.issues.new, done.bad) == (2, 1)
    assert str(done.first_bad[0]).startswith("issues.jsonl:1: not JSON")


def test_a_body_of_a_table_may_hold_lines_of_json(store: Store, file: Path) -> None:
    cells = '7,2026-01-02,Crash,"with\n{""a"": 1}\n{}\nin it"\n'
    file.write_text(f"number,created_at,title,body\n{cells}", encoding="utf-8")
    assert run(store, file).issues.new == 1
    assert stored(store)[7].body == 'with\n{"a": 1}\n{}\nin it'


def test_bytes_that_are_no_utf8_end_a_file_where_they_lie(store: Store, file: Path) -> None:
    before = lines(row(1)) + b'{"number": 2, "title": "'
    file.write_bytes(before + b'\xff\xfe"}\n' + lines(row(3)))
    with pytest.raises(CommandRefused, match=f"byte 0xff at offset {len(before)};.*is stored"):
        run(store, file)
    assert set(stored(store)) == {1}


def test_strict_stops_at_a_bad_row_and_keeps_what_came_before(store: Store, file: Path) -> None:
    file.write_bytes(lines(row(1), "{", row(2)))
    with pytest.raises(CommandRefused, match=r"issues\.jsonl:2: not JSON.*before it are stored"):
        run(store, file, strict=True)
    assert set(stored(store)) == {1}


def test_a_file_of_nothing_but_bad_rows_is_counted_and_not_kept_in_memory(
    store: Store, file: Path
) -> None:
    file.write_bytes(b'{"non": "sense"}\n' * 5000)
    done = run(store, file)
    assert (done.bad, len(done.first_bad)) == (5000, 20)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstandard"])
def test_compression_that_breaks_off_says_so_and_keeps_what_came_before(
    store: Store, file: Path, pack: Any
) -> None:
    texts = (os.urandom(100).hex() for _ in range(4000))
    whole = pack(lines(*(row(n, body=text) for n, text in enumerate(texts, 1))))
    file.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(CommandRefused, match="cannot be read to its end"):
        run(store, file)
    assert len(stored(store)) >= 2000


def test_a_small_file_that_breaks_off_gives_what_it_had(store: Store, file: Path) -> None:
    packed = gzip.compress(lines(*(row(n) for n in range(1, 6))))
    file.write_bytes(packed + b"something else")
    with pytest.raises(CommandRefused, match=r"cannot be read to its end.*before is stored"):
        run(store, file)
    assert len(stored(store)) == 5


@pytest.mark.parametrize("content", ["", "{", '{"name": "bug"}', '[{"title": 1}]', "[7]"])
def test_a_label_file_of_another_kind_is_refused_before_anything_is_stored(
    store: Store, file: Path, content: str
) -> None:
    listed = file.with_name("labels.json")
    listed.write_text(content)
    file.write_bytes(lines(row(1)))
    with pytest.raises(CommandRefused, match="cannot be used as labels"):
        run(store, file, labels_file=listed)
    with store.read() as work:
        assert work.repositories.all() == ()


@pytest.mark.parametrize(
    "content",
    [
        b'[{"name": "bug", "id": 1}][{"name": "ui", "color": "f00"}]',
        b'[[{"name": "bug"}], [{"name": "ui"}]]',
        b'[{"name": "bug", "id": "LA_1", "isDefault": false}, {"name": "ui", "id": "LA_2"}]',
        '[{"name": "bug"}, {"name": "ui"}]'.encode("utf-16"),
    ],
    ids=["pages", "pages in an array", "gh label list", "UTF-16"],
)
def test_labels_come_as_people_have_them(store: Store, file: Path, content: bytes) -> None:
    listed = file.with_name("labels.json")
    listed.write_bytes(content)
    file.write_bytes(lines(row(1)))
    assert run(store, file, labels_file=listed).labels == 2
    assert set(labels(store)) == {"bug", "ui"}


@pytest.mark.real_issues
@pytest.mark.slow
def test_real_issues_come_in_whole(store: Store) -> None:
    folder = os.environ.get("TEST_ISSUES_DIR")
    if not folder:
        pytest.skip("TEST_ISSUES_DIR names no folder of real issues")
    done = run(store, Path(folder) / "hf-datasets.jsonl.gz")
    assert (done.issues.new, done.bad) == (7258, 0)
    assert run(store, Path(folder) / "hf-datasets.jsonl.gz").issues.unchanged == 7258
