"""What commands print on stdout: aligned columns for people, one JSON document for scripts."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_END = object()


def say(line: str = "") -> None:
    """Print a line for people on stdout."""
    typer.echo(line)


def tell(line: str) -> None:
    """Print a line on stderr: what is not the command's answer."""
    typer.echo(line, err=True)


def say_json(document: Any) -> None:
    """Print the one JSON document of a command; text in it stays readable."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def say_json_of_many(head: Mapping[str, Any], name: str, rows: Iterable[Any]) -> None:
    """Print one JSON document that ends with a list, a row at a time, as they come.

    Nothing is printed before the first row is there: what refuses a command refuses it cleanly.
    """
    coming = iter(rows)
    row = next(coming, _END)
    opening = json.dumps(dict(head), ensure_ascii=False, indent=2, allow_nan=False)
    typer.echo(f"{opening.removesuffix(chr(10) + '}')},\n  {json.dumps(name)}: [", nl=False)
    separator = "\n"
    while row is not _END:
        text = json.dumps(row, ensure_ascii=False, indent=2, allow_nan=False)
        typer.echo(separator + "    " + text.replace("\n", "\n    "), nl=False)
        separator, row = ",\n", next(coming, _END)
    typer.echo("\n  ]\n}" if separator != "\n" else "]\n}")


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
    generator = (char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    line = " ".join("".join(generator).split())
    return line if not limit or len(line) <= limit else f"{line[: limit - 1]}…"


def _shown(cell: object) -> str:
    return "" if cell is None else plain(str(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if to_the_right else text + blanks
