"""Files of issues in any known shape, and of labels: plain, .gz or .zst, read as a stream."""

from __future__ import annotations

import gzip
import io
import shlex
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, cast

import zstandard
from pydantic import ValidationError

from bot.errors import CommandRefused
from bot.exports.account import ExportAccount
from bot.exports.fields import rest_fields
from bot.exports.labels import label_fields
from bot.exports.reading import export_rows
from bot.exports.refusals import ExportSource
from bot.github.errors import BadPayload
from bot.github.models import GitHubLabel, Issue, parse
from bot.receiving.deliveries import issue_record
from store.records import IssueRecord, LabelRecord
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bot.exports.account import ExportRow
    from tagger.domain.strategy import Progress

_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_KIB = 1024
_CHUNK = 256 * _KIB


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as the store takes it, with what its label objects said beyond their names.

    :ivar nameless_labels: how many labels had no name and were left out.
    :ivar labelled: whether it had a list of labels at all.
    """

    record: IssueRecord
    labels: tuple[LabelRecord, ...]
    nameless_labels: int = 0
    labelled: bool = True


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    :ivar line: on which it begins, counted from 1.
    :ivar place: which row it is, where lines do not say that: arrays may have but one.
    """

    file: str
    line: int
    problem: str
    place: int = 0

    def __str__(self) -> str:
        place = f" (row {self.place})" if self.place else ""
        return f"{self.file}:{self.line}{place}: {self.problem}"


def read_issues(
    path: Path,
    progress: Progress,
    *,
    repository: str = "",
    columns: Mapping[str, str] | None = None,
    account: ExportAccount | None = None,
) -> Iterator[FileRow | BadRow]:
    """Rows of an export of issues in any known shape, one at a time.

    :param repository: leaves out what says that it is of another one; "": nothing is left out.
    :param columns: field → a table's column, for what its header does not tell.
    :param account: filled with what the file was taken for, and what was left out.
    :raises CommandRefused: the file cannot be read, is no export, or its compression breaks off.
    """
    with _refusing(path), path.open("rb") as raw, _unpacked(raw) as stream:
        account = account or ExportAccount(ExportSource(path, repository))
        account.source = ExportSource(path, repository, _packing(stream))
        chunks = _chunks(stream, raw, path, progress)
        for row in export_rows(chunks, columns or {}, account):
            yield _row(row, path.name, account)


def read_labels(path: Path) -> tuple[LabelRecord, ...]:
    """Labels from a file in the shape of REST `labels` or of `gh label list`: JSON arrays.

    :raises CommandRefused: it is something else.
    """
    try:
        with _refusing(path), path.open("rb") as raw, _unpacked(raw) as stream:
            fields = label_fields(_chunks(stream, raw, path, silent))
        labels = parse(tuple[GitHubLabel, ...], fields, str(path))
    except (ValueError, BadPayload) as error:
        raise CommandRefused(
            f"{path} cannot be used as labels: {error}; "
            f"`gh api --paginate repos/OWNER/NAME/labels > {shlex.quote(str(path))}` makes such"
        ) from None
    return tuple(_label(label) for label in labels if label.name)


def as_row(issue: object) -> FileRow:
    """A row from an issue of an export.

    :raises ValueError: it is no issue, or a field is not what GitHub documents.
    """
    if not isinstance(issue, dict):
        raise ValueError(_not_an_object(issue))  # noqa: TRY004 - as documented
    rest = rest_fields(issue)
    try:
        parsed = Issue.model_validate(rest.fields)
    except ValidationError as error:
        raise ValueError(_problems(error)) from None
    created_at = parsed.created_at or parsed.updated_at
    if parsed.number < 1 or created_at is None:
        raise ValueError("expected a number from 1 on, and created_at")
    if not rest.titled:
        raise ValueError("expected a title")
    labels = tuple(_label(label) for label in parsed.labels)
    record = replace(issue_record(parsed, created_at), labels=tuple(label.name for label in labels))
    return FileRow(record, labels, rest.nameless, rest.labelled)


def _row(row: ExportRow, file: str, account: ExportAccount) -> FileRow | BadRow:
    if row.problem:
        return BadRow(file, row.line, row.problem, row.place)
    try:
        good = as_row(row.issue)
    except ValueError as error:
        return BadRow(file, row.line, str(error), row.place)
    account.nameless_labels += good.nameless_labels
    account.unlabelled += not good.labelled
    return good


def _not_an_object(data: object) -> str:
    if isinstance(data, list):
        return "a JSON array among lines, expected an issue"
    return f"expected an issue as a JSON object, got {type(data).__name__}"


def _problems(error: ValidationError) -> str:
    """Which fields are wrong, without their content: it may be private."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)[:3]
    )


def _label(label: GitHubLabel) -> LabelRecord:
    return LabelRecord(label.name, label.description, label.color)


def _chunks(
    stream: IO[bytes], raw: io.BufferedReader, path: Path, progress: Progress
) -> Iterator[bytes]:
    """The content as it comes: of what breaks off all that came before."""
    total = path.stat().st_size // _KIB  # 0 for a pipe, which has no place to be at either
    step = f"reading {path.name}, KiB"
    while chunk := cast("io.BufferedReader", stream).read1(_CHUNK):
        progress(step, raw.tell() // _KIB if raw.seekable() else 0, total)
        yield chunk
    progress(step, total, total)


def _packing(stream: IO[bytes]) -> str:
    """What `_unpacked` found."""
    if isinstance(stream, gzip.GzipFile):
        return "gzip"
    inner = getattr(stream, "raw", None)
    return "zstd" if isinstance(inner, _Zstandard) else ""


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
