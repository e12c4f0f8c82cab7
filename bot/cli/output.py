"""What commands print on stdout: aligned columns for people, one JSON document for scripts."""

from __future__ import annotations

import json
import shutil
import unicodedata
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


NARROWEST = 8
"""Columns below which a table's column is not squeezed, and wrapped words are not indented."""

_END = object()


@dataclass
class DocumentState:
    """Whether a part of the one JSON document is out already: no second one may follow."""

    begun: bool = False


document_state = DocumentState()


def say(line: str = "") -> None:
    """Print a line for people on stdout, on several lines where the terminal is narrower."""
    for part in wrapped(line, terminal_width()):
        typer.echo(part)


def say_verbatim(text: str) -> None:
    """Print what is to be copied as it is."""
    typer.echo(text, nl=not text.endswith("\n"))


def tell(line: str) -> None:
    """Print a line on stderr: what is not the command's answer."""
    for part in wrapped(line, terminal_width()):
        typer.echo(part, err=True)


def say_json(document: Any) -> None:
    """Print the one JSON document of a command; text in it stays readable."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))
    document_state.begun = True


def say_json_of_many(head: Mapping[str, Any], name: str, rows: Iterable[Any]) -> None:
    """Print one JSON document that ends with a list, a row at a time, as they come.

    Nothing is printed before the first row is there: what refuses a command refuses it cleanly.
    """
    coming = iter(rows)
    row = next(coming, _END)
    document_state.begun = True
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

    Where the terminal is narrower, words wrap within their columns; where that is not enough, a
    row becomes a few lines that name their columns.

    :param right: one character a column: ">" sets it to the right.
    """
    cells = [list(header), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    fitted = _fitted(cells, widths, terminal_width())
    if fitted is None:
        _say_cards(cells)
        return
    for row in cells:
        columns = [wrapped(cell, width) for cell, width in zip(row, fitted, strict=True)]
        for parts in zip_longest(*columns, fillvalue=""):
            padded = [
                _padded(part, width, right[n : n + 1] == ">")
                for n, (part, width) in enumerate(zip(parts, fitted, strict=True))
            ]
            typer.echo("  ".join(padded).rstrip())


def _fitted(cells: Sequence[list[str]], widths: list[int], room: int) -> list[int] | None:
    """Widths of columns that fit the terminal: the widest give way, none below its longest word."""
    fitted = list(widths)
    least = [
        max((text_width(word) for row in cells for word in row[n].split()), default=0)
        for n in range(len(widths))
    ]
    while room and sum(fitted) + 2 * (len(fitted) - 1) > room:
        loose = [n for n, width in enumerate(fitted) if width > max(least[n], NARROWEST)]
        if not loose:
            return None
        fitted[max(loose, key=lambda n: fitted[n])] -= 1
    return fitted


def _say_cards(cells: Sequence[list[str]]) -> None:
    header, *rows = cells
    for row in rows:
        say(row[0])
        for name, cell in zip(header[1:], row[1:], strict=True):
            if cell:
                say(f"  {name}: {cell}" if name else f"  {cell}")


def terminal_width() -> int:
    """Columns of the terminal, or of COLUMNS; 0 where the output goes elsewhere."""
    return shutil.get_terminal_size((0, 0)).columns


def wrapped(line: str, room: int) -> list[str]:
    """The line in parts no wider than `room`; what hangs over is indented two columns further.

    Only words of wide characters are broken: an address that is cut leads nowhere.
    """
    if not room or text_width(line) <= room:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    lines, current = [], indent
    for word in _breakable(line.split(), room - len(indent) - 2):
        joined = f"{current} {word}" if current.strip() else current + word
        if text_width(joined) > room and current.strip():
            lines.append(current)
            joined = f"{indent}  {word}" if room > NARROWEST + len(indent) else word
        current = joined
    return [*lines, current]


def _breakable(words: Iterable[str], room: int) -> Iterator[str]:
    """Words of wide characters, which are written without blanks, in pieces."""
    for word in words:
        if text_width(word) > len(word) and text_width(word) > room:
            size = max(room // 2, 1)
            yield from (word[at : at + size] for at in range(0, len(word), size))
        else:
            yield word


def plain(text: str, limit: int = 0) -> str:
    """Text from an issue on one line: control characters, which a terminal obeys, are dropped."""
    generator = (char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    line = " ".join("".join(generator).split())
    return line if not limit or len(line) <= limit else f"{line[: limit - 1]}…"


def shortened(text: str, room: int) -> str:
    """Text on one line, cut to `room` columns of the terminal; 0: as it is."""
    line = plain(text)
    if not room or text_width(line) <= room:
        return line
    while line and text_width(line) > room - 1:
        line = line[:-1]
    return f"{line}…"


def _shown(cell: object) -> str:
    return "" if cell is None else plain(str(cell))


def text_width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - text_width(text))
    return blanks + text if to_the_right else text + blanks
