"""What commands print on stdout: aligned columns for people, one JSON document for scripts."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def say(line: str = "") -> None:
    """Print a line for people on stdout."""
    typer.echo(line)


def tell(line: str) -> None:
    """Print a line on stderr: what is not the command's answer."""
    typer.echo(line, err=True)


def say_json(document: Any) -> None:
    """Print the one JSON document of a command; text in it stays readable."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def say_table(header: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> None:
    """Print rows under a header, each column as wide as it needs to be.

    :param right: one character a column: ">" sets it to the right.
    """
    cells = [list(header), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [
            _padded(cell, width, right[n : n + 1] == ">")
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(padded).rstrip())


def plain(text: str, limit: int = 0) -> str:
    """Text from an issue on one line: control characters, which a terminal obeys, are dropped."""
    kept = (char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    line = " ".join("".join(kept).split())
    return line if not limit or len(line) <= limit else f"{line[: limit - 1]}…"


def _shown(cell: object) -> str:
    return "" if cell is None else plain(str(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if to_the_right else text + blanks
