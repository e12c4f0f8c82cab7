"""Tables: what cells hold, and rows that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from test_export_shapes import brought_in, stored

from bot.exports.fields import rest_fields
from bot.exports.table import header_of, issue_of

if TYPE_CHECKING:
    from pathlib import Path

    from store.database import Store


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("", ()),
        ("bug", ("bug",)),
        ("bug, c: Ui", ("bug", "c: Ui")),
        ("bug; one, two", ("bug", "one, two")),
        ("bug\none, two", ("bug", "one, two")),
        ('["bug", "one, two"]', ("bug", "one, two")),
        ("['bug', 'ui']", ("bug", "ui")),
        ("[{'name': 'bug', 'default': False}]", ("bug",)),
        ("[Type] Bug, [Pri] High", ("[Pri] High", "[Type] Bug")),
        ("nan", ()),
        ("[" * 90_000, ("[" * 90_000,)),
    ],
)
def test_a_cell_of_labels_is_read_as_it_is_written(cell: str, names: tuple[str, ...]) -> None:
    issue = rest_fields(issue_of(header_of(["labels"], {}), [cell]))
    assert tuple(sorted(label["name"] for label in issue.fields["labels"])) == names


def test_rows_of_a_table_that_do_not_fit_are_named(store: Store, tmp_path: Path) -> None:
    text = (
        'Number,Title,"Created At (UTC)",Description\n'
        '#7,"two\nlines",2026-01-02 03:04:05 UTC,x\n'
        "8,short,2026-01-02\n"
        "9,long,2026-01-02,x,y\n"
        '10,"open"quote,2026-01-02,x\n'
        "11,last,never,x\n"
    )
    done = brought_in(store, tmp_path / "issues.csv", text.encode())
    assert {n: issue.title for n, issue in stored(store).items()} == {7: "two\nlines", 8: "short"}
    assert [(bad.line, bad.problem[:20]) for bad in done.first_bad] == [
        (5, "5 cells, but the hea"),
        (6, "no row of a table: '"),
        (7, "created_at: Input sh"),
    ]
