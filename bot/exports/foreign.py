"""Files that are no export at all, known by how they begin: pages, archives, tables, literals."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.exports.text import BLANKS

if TYPE_CHECKING:
    from bot.exports.refusals import ExportRefused, ExportSource

Command = Callable[["ExportSource"], str]

_FROM_YAML = (
    "python3 -c 'import json, sys, yaml; "
    "json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)'"
)
_FROM_PYTHON = (
    "python3 -c 'import ast, json, sys; "
    "json.dump(ast.literal_eval(sys.stdin.read()), sys.stdout, default=str)'"
)
_GH_TABLE = re.compile(r"\d+\t(OPEN|CLOSED)\t", re.IGNORECASE)
_KEY = r"[A-Za-z_]+ *:(?:\s|$)"
_YAML = re.compile(rf"---\s|%YAML|- *{_KEY}|(?:{_KEY}[^\n]*\n+){{2}}")
_PYTHON = re.compile(r"[\[{(]\s*[\[{(]?\s*'")
_HTML = re.compile(r"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def _anew(source: ExportSource) -> str:
    return source.fetched_anew()


def _workbook(source: ExportSource) -> str:
    folder = shlex.quote(str(source.path.parent))
    return f"soffice --headless --convert-to csv --outdir {folder} {source.file}"


def _unzipped(source: ExportSource) -> str:
    folder = shlex.quote(f"{source.path}.d")
    reading = f"issue-tagger import {folder}/* --repo {source.name}"
    return f"python3 -m zipfile -e {source.file} {folder} && {reading}"


def _through(program: str) -> Command:
    return lambda source: source.piped_through(program)


_MAGIC: tuple[tuple[bytes, str, Command], ...] = (
    (b"BZh", "compressed by bzip2, which is not unpacked here", _through("bzip2 -dc")),
    (b"\xfd7zXZ\0", "compressed by xz, which is not unpacked here", _through("xz -dc")),
    (b"SQLite format 3\0", "an SQLite database", _anew),
    (b"%PDF-", "a PDF document", _anew),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _workbook),
    (b"\xff\xfe\0\0", "text in UTF-32", lambda source: source.to_utf8("UTF-32")),
    (b"\0\0\xfe\xff", "text in UTF-32", lambda source: source.to_utf8("UTF-32")),
)


def refuse_foreign_bytes(head: bytes, source: ExportSource) -> None:
    """Refuse what no text begins with.

    :param head: the first thousand bytes or more, unpacked.
    :raises ExportRefused: it is a known kind of file that holds no text.
    """
    for magic, what, command in _MAGIC:
        if head.startswith(magic):
            raise source.refuse(what, command(source))
    if head.startswith(b"PK\x03\x04"):
        raise _archive(head, source)
    if head[257:262] == b"ustar":
        raise source.refuse("a tar archive", source.piped_through("tar -xO"))


def _archive(head: bytes, source: ExportSource) -> ExportRefused:
    """Office's workbooks are ZIP archives of files with well-known names."""
    if b"[Content_Types].xml" in head or b"xl/" in head:
        return source.refuse("an Excel workbook", _workbook(source))
    return source.refuse("a ZIP archive", _unzipped(source))


def refuse_foreign_text(head: str, source: ExportSource) -> None:
    """Refuse text that is known to be neither JSON nor a table with a header.

    :param head: how the text begins.
    :raises ExportRefused: it is another known kind of text.
    """
    begin = head.lstrip(BLANKS)
    if begin.startswith("<"):
        what = "an HTML page" if _HTML.search(begin[:2000]) else "XML"
        raise source.refuse(f"{what}, as a browser or a proxy gets it", source.fetched_anew())
    if _GH_TABLE.match(begin):
        raise source.refuse("the table that `gh issue list` prints", source.listed_anew())
    if _PYTHON.match(begin):
        what = "a Python literal with single quotes, not JSON"
        raise source.refuse(what, source.piped_through(_FROM_PYTHON))
    if _YAML.match(begin[:2000]):
        raise source.refuse("YAML", source.piped_through(_FROM_YAML))
