"""Files of issues and of labels in GitHub's REST shapes: plain, .gz or .zst, read as a stream."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, cast

import zstandard
from pydantic import ValidationError

from bot.errors import CommandRefused
from bot.github.errors import BadPayload
from bot.github.models import GitHubLabel, Issue, parse
from bot.receiving.deliveries import issue_record
from store.records import IssueRecord, LabelRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagger.domain.strategy import Progress

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one row: GitHub's bodies end at 64 KiB, so a longer line is another kind of file."""

_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KIB = 1024


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as the store takes it, with what its label objects said beyond their names."""

    record: IssueRecord
    labels: tuple[LabelRecord, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used. `line` counts from 1."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}"


def read_issues(path: Path, progress: Progress) -> Iterator[FileRow | BadRow]:
    """Rows of JSON lines in the shape of REST `issues`, one at a time; blank lines are no rows.

    :raises CommandRefused: the file cannot be read, or its compression breaks off.
    """
    with _refusing(path), path.open("rb") as raw, _unpacked(raw) as stream:
        total = path.stat().st_size // _KIB  # 0 for a pipe, which has no place to be at either
        for number, line in enumerate(_lines(stream), 1):
            if number % 100 == 1:
                place = raw.tell() // _KIB if raw.seekable() else 0
                progress(f"reading {path.name}, KiB", place, total)
            if line.strip():
                yield _row(line, path.name, number)
        progress(f"reading {path.name}, KiB", total, total)


def read_labels(path: Path) -> tuple[LabelRecord, ...]:
    """Labels from a file in the shape of REST `labels`: a JSON array.

    :raises CommandRefused: it is something else.
    """
    with _refusing(path), path.open("rb") as raw, _unpacked(raw) as stream:
        content = stream.read().removeprefix(_BYTE_ORDER_MARK)
    try:
        labels = parse(tuple[GitHubLabel, ...], json.loads(content), str(path))
    except (ValueError, RecursionError, BadPayload) as error:
        raise CommandRefused(
            f"{path} cannot be used as labels: {error}; expected the JSON array that "
            "GET /repos/OWNER/NAME/labels answers with"
        ) from None
    return tuple(_label(label) for label in labels if label.name)


def as_row(data: object) -> FileRow:
    """A row from parsed JSON.

    :raises ValueError: it is no issue, or a field is not what GitHub documents.
    """
    if not isinstance(data, dict):
        raise ValueError(_not_an_object(data))  # noqa: TRY004 - as documented
    try:
        issue = Issue.model_validate(data)
    except ValidationError as error:
        raise ValueError(_problems(error)) from None
    created_at = issue.created_at or issue.updated_at
    if issue.number < 1 or created_at is None:
        raise ValueError("expected a number from 1 on, and created_at")
    labels = tuple(_label(label) for label in issue.labels if label.name)
    record = replace(issue_record(issue, created_at), labels=tuple(label.name for label in labels))
    return FileRow(record, labels)


def _row(line: bytes, file: str, number: int) -> FileRow | BadRow:
    if len(line) >= MAX_LINE:
        return BadRow(file, number, f"longer than {MAX_LINE // _KIB**2} MiB")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(file, number, f"not JSON: {error}")
    try:
        return as_row(data)
    except ValueError as error:
        return BadRow(file, number, str(error))


def _not_an_object(data: object) -> str:
    if isinstance(data, list):
        return "a JSON array, expected one issue a line; `jq -c '.[]'` makes lines of an array"
    return f"expected an issue as a JSON object, got {type(data).__name__}"


def _problems(error: ValidationError) -> str:
    """Which fields are wrong, without their content: it may be private."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)[:3]
    )


def _label(label: GitHubLabel) -> LabelRecord:
    return LabelRecord(label.name, label.description, label.color)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of at most `MAX_LINE` bytes; what is longer is cut there and skipped to its end."""
    first = True
    while line := stream.readline(MAX_LINE):
        rest = line
        while len(rest) >= MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        yield line.removeprefix(_BYTE_ORDER_MARK) if first else line
        first = False


@contextmanager
def _unpacked(raw: io.BufferedReader) -> Iterator[IO[bytes]]:
    """The content behind the compression that the first bytes tell of, whatever the suffix."""
    magic = raw.peek(4)[:4]
    if magic.startswith(_GZIP):
        with gzip.open(raw) as stream:
            yield cast("IO[bytes]", stream)
    elif magic == _ZSTANDARD:
        yield io.BufferedReader(_Zstandard(raw), _KIB**2)
    else:
        yield raw


class _Zstandard(io.RawIOBase):
    """Zstandard frames unpacked; unlike the library's own reader it notices a missing end."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """:raises EOFError: the file ends within a frame."""
        while not self._ready:
            chunk = self._packed.read(64 * _KIB)
            if not chunk:
                if self._frame is not None:
                    raise EOFError("compressed file ended before the end-of-frame marker")
                return 0
            self._ready = self._decompress(chunk)
        part = self._ready[: len(buffer)]
        buffer[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _decompress(self, chunk: bytes) -> bytes:
        """A chunk may end one frame and begin the next."""
        pieces = []
        while chunk:
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            pieces.append(self._frame.decompress(chunk))
            if not self._frame.eof:
                break
            chunk, self._frame = self._frame.unused_data, None
        return b"".join(pieces)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise CommandRefused(
            f"{path} cannot be read to its end: {error}; run the command again with a whole file"
        ) from error
