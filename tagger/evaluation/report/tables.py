"""A table of the report: numbers under every figure, in HTML and in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class TableCell:
    """What stands in one place; `number` aligns right, `best` stands out, `url` links."""

    words: str
    number: bool = False
    best: bool = False
    url: str = ""


@dataclass(frozen=True)
class ReportTable:
    """Heads and rows of equal length."""

    heads: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...] = field(default=())

    @classmethod
    def of(cls, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> ReportTable:
        """Floats get three digits, whole numbers their thousands; a `TableCell` stays as it is."""
        return cls(tuple(heads), tuple(tuple(map(cell, row)) for row in rows))

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Which columns hold numbers only."""
        return tuple(all(row[n].number for row in self.rows) for n in range(len(self.heads)))

    def markdown(self) -> str:
        """The table as GitHub reads it; what could be markup is escaped."""
        rule = "|".join(" ---: " if number else " --- " for number in self.numbers)
        lines = [_line(map(escaped, self.heads)), f"|{rule}|"]
        return "\n".join([*lines, *(_line(map(_in_markdown, row)) for row in self.rows)])


def cell(value: object) -> TableCell:
    """Anything as a cell."""
    if isinstance(value, TableCell):
        return value
    if isinstance(value, float):
        return TableCell(f"{value:.3f}", number=True)
    if isinstance(value, int):
        return TableCell(f"{value:,}", number=True)
    return TableCell("-", number=True) if value is None else TableCell(str(value))


def escaped(words: str) -> str:
    """Words that GitHub's Markdown shows as they are: no HTML, link, mention or table rule."""
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in "\\`*_[]|~":
        words = words.replace(sign, "\\" + sign)
    return words.replace("@", "@\u200b").replace("\n", " ")


def _in_markdown(cell: TableCell) -> str:
    words = escaped(cell.words)
    if cell.url:
        words = f"[{words}]({cell.url})"
    return f"**{words}**" if cell.best else words


def _line(words: Iterable[str]) -> str:
    return f"| {' | '.join(words)} |"
