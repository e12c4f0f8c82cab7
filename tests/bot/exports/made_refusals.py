"""Small made-up files that `import` refuses, by what docs/exports.md calls them."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import tarfile
import zipfile
from dataclasses import dataclass

import yaml
from made_exports import ISSUES, REPO, lines, rest, table

ROWS = lines(map(rest, ISSUES)).encode()


@dataclass(frozen=True)
class Refused:
    """A file that is refused.

    :ivar seen: how it is called, an expression.
    :ivar made: what the command leaves, by what follows the file's name; "" where it imports.
    """

    content: bytes
    seen: str
    made: str = ".json"
    name: str = "file"


def zipped(name: str, content: bytes = ROWS) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("issues.jsonl")
        member.size = len(ROWS)
        archive.addfile(member, io.BytesIO(ROWS))
    return out.getvalue()


def as_yaml() -> bytes:
    return yaml.safe_dump([*map(rest, ISSUES)], allow_unicode=True).encode()


def accented() -> bytes:
    row = json.dumps({**rest(ISSUES[0]), "title": "Café", "body": ""}, ensure_ascii=False)
    return row.encode("cp1252")


ERROR = {"message": "Bad credentials", "documentation_url": "https://docs", "status": "401"}
FAILED = {"data": None, "errors": [{"type": "NOT_FOUND", "message": "No such repository"}]}
LABEL = {"id": 1, "name": "bug", "color": "f00", "description": "It is broken"}
COMMENT = {"id": 1, "body": "me too", "issue_url": "https://api.github.test", "user": None}
HAPPENED = {"id": 1, "event": "labeled", "actor": None, "label": {"name": "bug"}}
OWNED = {"id": 1, "name": "lab", "full_name": REPO, "owner": {"login": "octo"}}
NO_TIME = {"number", "title", "labels", "state"}

REFUSED: dict[str, Refused] = {
    "an HTML page": Refused(b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"),
    "XML": Refused(b'<?xml version="1.0"?><rss><item/></rss>', "XML"),
    "YAML": Refused(as_yaml(), "YAML"),
    "a Python literal": Refused(repr([*map(rest, ISSUES)]).encode(), "a Python literal"),
    "the table of `gh issue list`": Refused(
        b"1\tOPEN\tCrash\tbug\t2026-01-02 03:04:05 +0000 UTC\n", "the table that `gh issue list`"
    ),
    "an error of the API": Refused(json.dumps(ERROR).encode(), r"API \(Bad credentials\)"),
    "an error of GraphQL": Refused(json.dumps(FAILED).encode(), r"GraphQL API \(No such repo"),
    "labels": Refused(json.dumps([LABEL]).encode(), "a list of labels", ""),
    "comments": Refused(json.dumps([COMMENT]).encode(), "a list of comments"),
    "events of issues": Refused(lines([HAPPENED] * 2).encode(), "a list of events"),
    "repositories": Refused(json.dumps([OWNED]).encode(), "a list of repositories"),
    "texts": Refused(b'["Crash", "Manual is thin"]', "a list of texts"),
    "numbers": Refused(b"1\n2\n3\n", "a list of numbers"),
    "other objects": Refused(b'[{"key": 1, "Subject": "x"}]', "JSON objects with key, Subject,"),
    "broken JSON": Refused(b'[{"number": 1,\n"title": oops}]', "no JSON.*line 2: not JSON: Expec"),
    "plain text": Refused(b"nonsense\n" * 50, "plain text"),
    "a table with other columns": Refused(
        table({"number": "Key", "created_at": "Filed", "title": "Subject"}).encode(),
        "columns Key, Filed, Subject, of which none is known as number or as title",
        "",
    ),
    "a table without numbers": Refused(
        b"Title,Text\nCrash,It broke\n", "known as number or as cre"
    ),
    "an Excel workbook": Refused(
        zipped("[Content_Types].xml"), "an Excel workbook", "file.csv", "file.xlsx"
    ),
    "an old Excel workbook": Refused(
        b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook", "file.csv", "file.xls"
    ),
    "a ZIP archive": Refused(zipped("issues.jsonl"), "a ZIP archive", ""),
    "a tar archive": Refused(tarred(), "a tar archive"),
    "bzip2": Refused(bz2.compress(ROWS), "compressed by bzip2"),
    "xz": Refused(lzma.compress(ROWS), "compressed by xz"),
    "an SQLite database": Refused(b"SQLite format 3\0 and more", "an SQLite database"),
    "a PDF document": Refused(b"%PDF-1.7 and more", "a PDF document"),
    "text in Windows-1252": Refused(accented(), r"neither UTF-8 nor UTF-16: byte 0xe9", ".utf8"),
    "text in UTF-32": Refused(ROWS.decode().encode("utf-32"), "text in UTF-32", ".utf8"),
    "broken UTF-16": Refused(
        b"\xff\xfe" + "[\ud800]".encode("utf-16-le", "surrogatepass"), "not UTF-16 LE: byte 0x.. at"
    ),
}
"""What a file is called in docs/exports.md → one that was made up."""
