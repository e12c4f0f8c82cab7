"""Tagging a file: in the order of its rows, some at a time, and nothing held that is done with."""

from __future__ import annotations

import gc
import json
import os
import threading
import weakref
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.cli.output import say_json, say_json_of_many
from bot.errors import CommandRefused
from bot.labelling import tagging
from tagger.domain.decision import LabelDecision, Policy
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

N = 3 * tagging.AT_ONCE + 17


class Echo:
    """Gives each issue its title as a label, and notes how many it was asked about at once."""

    names = ("a",)

    def __init__(self) -> None:
        self.asked: list[int] = []

    def tag(
        self, issues: Sequence[IssueText], policy: Policy | None = None
    ) -> list[list[LabelDecision]]:
        self.asked.append(len(issues))
        return [[LabelDecision(one.title, 0.5, 0.5, "suggest", "echo")] for one in issues]


def write(path: Path, rows: range, *, last: str = "") -> Path:
    made = {"body": "b", "labels": [], "created_at": "2026-01-01T00:00:00Z"}
    lines = [json.dumps({"number": n, "title": f"title {n}", **made}) for n in rows]
    path.write_text("\n".join([*lines, last]), encoding="utf-8")
    return path


def test_every_row_is_answered_in_its_order_some_at_a_time(tmp_path: Path) -> None:
    release = Echo()
    file = write(tmp_path / "issues.jsonl", range(1, N + 1))
    told: list[tuple[int, int]] = []
    with tagging.questions_of_file(file) as (questions, total):
        answers = list(
            tagging.tag(
                release, questions, total, Policy(), lambda _, done, all_: told.append((done, all_))
            )
        )
    assert [one.number for one in answers] == list(range(1, N + 1))
    assert all(one.labels[0].name == f"title {one.number}" for one in answers)
    assert release.asked == [tagging.AT_ONCE] * 3 + [17]
    assert told[-1] == (N, N)


def test_what_is_answered_is_let_go() -> None:
    alive: weakref.WeakSet[Watched] = weakref.WeakSet()

    class Watched(IssueText):
        __slots__ = ("__weakref__",)

    def questions() -> Iterator[tagging.IssueToTag]:
        for number in range(N):
            text = Watched(f"title {number}")
            alive.add(text)
            yield tagging.IssueToTag(number, text.title, text)

    most = 0
    for _ in tagging.tag(Echo(), questions(), N, Policy()):
        most = max(most, len(alive))
    gc.collect()
    assert most <= 2 * tagging.AT_ONCE


def test_a_bad_row_at_the_very_end_is_told_before_the_first_answer(tmp_path: Path) -> None:
    file = write(tmp_path / "issues.jsonl", range(1, 4), last="{")
    with (
        pytest.raises(CommandRefused, match=r"issues\.jsonl:4: .*nothing was tagged"),
        tagging.questions_of_file(file),
    ):
        raise AssertionError("the file was taken for good")


def test_a_pipe_is_read_once_and_answered_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = write(tmp_path / "issues.jsonl", range(1, 6)).read_bytes()
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    with tagging.questions_of_file(pipe) as (questions, total):
        assert (total, [one.number for one in questions]) == (5, [1, 2, 3, 4, 5])
    writer.join()


JSON = some.recursive(
    some.none() | some.integers() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
)


@given(rows=some.lists(JSON, max_size=4))
def test_rows_one_by_one_make_the_document_that_they_make_together(rows: list[object]) -> None:
    head = {"repository": "acme/rocket", "release": "é\u2028\n"}
    assert printed(lambda: say_json_of_many(head, "issues", iter(rows))) == printed(
        lambda: say_json({**head, "issues": rows})
    )


def printed(act) -> str:  # type: ignore[no-untyped-def]
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        act()
    return out.getvalue()
