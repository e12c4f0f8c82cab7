"""Tables as text: which character parts the cells, and rows with the line on which each begins."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bot.exports.table import header_of
from bot.exports.text import MAX_LINE, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_LOOKED_AT = 3
"""Rows by which a table is known: as many cells in each."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    :ivar line: on which it begins, counted from 1.
    :ivar problem: why there are no cells, "" where there are.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written."""

    delimiter: str

    @property
    def name(self) -> str:
        """For people."""
        return f"a table with {_DELIMITERS[self.delimiter]} (CSV)"


def dialect_of(head: str, columns: Mapping[str, str]) -> Dialect | None:
    """How the table that begins so is written; None where it is no table.

    A table has a header with a known name, or some rows with as many cells as the header.

    :param columns: field → the column that holds it, where its name does not tell.
    """
    wanted = set(columns.values())
    likelihoods = {delimiter: _likelihood(head, delimiter, wanted) for delimiter in _DELIMITERS}
    best = max(likelihoods, key=lambda delimiter: likelihoods[delimiter])
    return Dialect(best) if likelihoods[best] > (0, 0) else None


def _likelihood(head: str, delimiter: str, wanted: set[str]) -> tuple[int, int]:
    """How many names are known, and how many cells each of the first rows has."""
    rows = list(islice(table_rows(lines_of([head]), Dialect(delimiter)), _LOOKED_AT))
    header = rows[0].cells if rows else ()
    n_known = len(header_of(header, {}).places) + len(wanted & set(header))
    widths = {len(row.cells) for row in rows}
    even = len(header) if len(rows) > 1 and widths == {len(header)} else 0
    return (n_known, even if even > 1 else 0)


def table_rows(lines: Iterable[str], dialect: Dialect) -> Iterator[TableRow]:
    """Rows of a table, the header among them; blank lines are no rows."""
    # Python's own limit is 128 KiB a cell, for the whole process.
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(iter(lines), delimiter=dialect.delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield TableRow(line, (), f"no row of a table: {error}")
            continue
        if cells:
            yield TableRow(line, tuple(cells))
