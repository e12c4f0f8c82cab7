"""Issues in tables: which column holds what, and a row as an issue. Pure: cells in, fields out."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS: dict[str, frozenset[str]] = {
    "number": frozenset({"number", "issuenumber", "no", "nr", "issueno", ""}),
    "title": frozenset({"title", "issuetitle", "summary"}),
    "body": frozenset({"body", "issuebody", "description", "bodytext"}),
    "labels": frozenset({"labels", "label", "labelnames", "issuelabels", "tags"}),
    "state": frozenset({"state", "issuestate", "status"}),
    "created_at": frozenset(
        {"createdat", "created", "creationdate", "createddate", "createdatutc", "openedat"}
    ),
    "updated_at": frozenset({"updatedat", "updated", "updateddate", "updatedatutc"}),
    "closed_at": frozenset({"closedat", "closed", "closeddate", "closedatutc"}),
    "user": frozenset(
        {"user", "author", "userlogin", "authorlogin", "login", "authorusername", "reporter"}
    ),
    "author_association": frozenset({"authorassociation"}),
    "url": frozenset({"url", "htmlurl", "link", "issueurl"}),
    "pull_request": frozenset({"pullrequest", "ispullrequest", "pullrequesturl", "ispr"}),
}
"""Field → names of columns, folded: small letters and digits alone ("Created At (UTC)")."""

FIELDS = {**{name: name for name in COLUMNS if name != "user"}, "author": "user"}
"""What `--column` calls a field → the field."""

NEEDED = ("number", "title", "created_at")

_NO = frozenset({"", "false", "0", "no", "none", "null", "nan", "{}"})
_NOTHING = frozenset({"none", "null", "nan", "nat", "<na>"})
_SEPARATORS = ("\n", ";", ",")
_MAX_LITERAL = 100_000
_WHOLE_NUMBER = re.compile(r"#?(\d+)(?:\.0)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LOOKS = {"number": re.compile(r"#?\d+$"), "created_at": _DATE, "title": re.compile(".")}
_WITHOUT_T = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?UTC")


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field.

    :ivar names: the columns as they are called.
    :ivar places: field → the column's place.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that no issue can do without and no column holds."""
        return tuple(name for name in NEEDED if name not in self.places)


def header_of(names: Sequence[str], columns: Mapping[str, str]) -> Header:
    """The header that these column names make.

    :param columns: field → the column that holds it, one of `names`, where that does not tell.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        folded = _folded(name)
        for field, spellings in COLUMNS.items():
            if folded in spellings and (folded or name.strip() == "#"):
                places.setdefault(field, place)
    for field, name in columns.items():
        places[field] = names.index(name)
    return Header(tuple(names), places)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def issue_of(header: Header, cells: Sequence[Any]) -> dict[str, Any]:
    """A row of a table as an issue in REST's names, ready for `rest_fields`.

    :raises ValueError: it has more cells than the header; a cell of labels cannot be read.
    """
    if len(cells) > len(header.names):
        raise ValueError(f"{len(cells)} cells, but the header has {len(header.names)}")
    issue: dict[str, Any] = {"title": ""}
    for field, place in header.places.items():
        cell = cells[place] if place < len(cells) else None
        issue[field] = _READERS.get(field, _as_it_is)(cell)
    return issue


def guessed(header: Header, cells: Sequence[str]) -> dict[str, str]:
    """For each needed field without a column the one that looks like it, by a row's cells."""
    free = [n for n in range(len(header.names)) if n not in header.places.values()]
    columns: dict[str, str] = {}
    for field, snapshot in _LOOKS.items():
        if field not in header.missing:
            continue
        place = next((n for n in free if n < len(cells) and snapshot.match(cells[n].strip())), None)
        if place is not None:
            free.remove(place)
            columns[field] = header.names[place]
    return columns


def _as_it_is(cell: Any) -> Any:
    return cell


def _number(cell: Any) -> Any:
    """A number as people and pandas write it: "#7", "7.0"."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    match = _WHOLE_NUMBER.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return int(match.group(1)[:20]) if match else cell


def _time(cell: Any) -> Any:
    """A time as databases write it: "2026-01-02 03:04:05 UTC"."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None
    match = _WITHOUT_T.fullmatch(text)
    return f"{match.group(1)}Z" if match else text or None


def _truth(cell: Any) -> Any:
    """Whether it is a pull request: an address, a mapping, or a word."""
    folded = str(cell if cell is not None else "").strip().lower()
    return None if folded in _NO else {"url": ""}


def _labels(cell: Any) -> Any:
    """Labels of one cell: JSON, a Python list (pandas writes it so), or names with separators."""
    if not isinstance(cell, str):
        return list(cell) if isinstance(cell, tuple) else cell
    text = cell.strip()
    if not text or text.lower() in _NOTHING:
        return []
    literal = _literal(text)
    if isinstance(literal, list):
        return literal
    separator = next((sign for sign in _SEPARATORS if sign in text), ",")
    return [name.strip() for name in text.split(separator) if name.strip()]


def _author(cell: Any) -> Any:
    """A login, or the whole user as pandas writes it."""
    literal = _literal(cell) if isinstance(cell, str) else None
    return literal if isinstance(literal, dict) else cell


def _literal(text: str) -> Any:
    """A list or mapping in JSON or as Python writes it; None where it is neither."""
    if text[:1] not in ("[", "{") or len(text) > _MAX_LITERAL:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


_READERS = {
    "number": _number,
    "created_at": _time,
    "updated_at": _time,
    "closed_at": _time,
    "pull_request": _truth,
    "labels": _labels,
    "user": _author,
}
