"""Import: issues and labels from files into the store, streamed, as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.exports.account import ExportAccount
from bot.exports.refusals import ExportSource
from bot.repositories.issue_files import BadRow, read_issues, read_labels
from store.engine.text import name_key
from store.records import UpsertCounts
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.repositories.issue_files import FileRow
    from store.database import Store
    from store.records import LabelRecord
    from tagger.domain.strategy import Progress

ROWS_PER_TRANSACTION = 1000
"""Small enough that a webhook waits for moments only while a large file comes in."""

SHOWN_BAD_ROWS = 20
"""A file of another kind has nothing but bad rows: so many are named, the rest is counted."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    :ivar labels: how many labels are new or changed.
    :ivar bad: how many rows were skipped; `first_bad` says of the first why.
    :ivar files: what each file was taken for, and what was left out of it.
    """

    issues: UpsertCounts
    labels: int
    bad: int
    first_bad: tuple[BadRow, ...] = field(repr=False)
    files: tuple[ExportAccount, ...] = ()


class _RowFilter:
    """Lets good rows through and keeps account of bad ones."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.bad = 0
        self.first_bad: list[BadRow] = []

    def good(self, rows: Iterable[FileRow | BadRow]) -> Iterator[FileRow]:
        """Good rows; where `strict`, only those before the first bad one."""
        for row in rows:
            if not isinstance(row, BadRow):
                yield row
                continue
            self.bad += 1
            if len(self.first_bad) < SHOWN_BAD_ROWS:
                self.first_bad.append(row)
            if self._strict:
                return


@dataclass(frozen=True)
class ImportRequest:
    """What is to be imported.

    :ivar labels_file: as GitHub's REST API gives a repository's labels.
    :ivar columns: field → a table's column, for what its header does not tell.
    :ivar strict: stop at the first bad row.
    """

    files: Sequence[Path]
    labels_file: Path | None = None
    columns: Mapping[str, str] | None = None
    strict: bool = False


def import_files(
    store: Store,
    repository: str,
    request: ImportRequest,
    *,
    now: datetime,
    progress: Progress = silent,
) -> Imported:
    """Store what the files hold; what is stored already stays as it is.

    Labels that only issues name are stored as well, unless the store knows them.

    :raises CommandRefused: a file cannot be read; or a row is bad, where `strict`. Everything
        before it is stored.
    """
    listed = read_labels(request.labels_file) if request.labels_file else ()
    accounts = [ExportAccount(ExportSource(file, repository)) for file in request.files]
    rows = (row for account in accounts for row in _rows_of(account, progress, request.columns))
    done = import_rows(store, repository, rows, listed, strict=request.strict, now=now)
    return replace(done, files=tuple(accounts))


def _rows_of(
    account: ExportAccount, progress: Progress, columns: Mapping[str, str] | None
) -> Iterator[FileRow | BadRow]:
    source = account.source
    return read_issues(
        source.path, progress, repository=source.repository, columns=columns, account=account
    )


def import_rows(
    store: Store,
    repository: str,
    rows: Iterable[FileRow | BadRow],
    listed: Iterable[LabelRecord] = (),
    *,
    strict: bool = False,
    now: datetime,
) -> Imported:
    """Store rows and labels, a batch a transaction.

    :raises CommandRefused: a row is bad, where `strict`; everything before it is stored.
    """
    with store.begin() as work:
        repository_id = work.repositories.get_or_create(repository, now=now).id
        changed_labels = work.labels.upsert(repository_id, listed, now=now)
    counts, sieve = UpsertCounts(), _RowFilter(strict=strict)
    for batch in _batches(sieve.good(rows)):
        with store.begin() as work:
            counts += work.issues.upsert(repository_id, (row.record for row in batch))
            names_known = {
                name_key(label.name) for label in work.labels.list(repository_id, deleted=True)
            }
            labels = _unknown(batch, names_known)
            changed_labels += work.labels.upsert(repository_id, labels, now=now) if labels else 0
    if strict and sieve.bad:
        raise CommandRefused(f"{sieve.first_bad[0]}; the rows before it are stored (--strict)")
    return Imported(counts, changed_labels, sieve.bad, tuple(sieve.first_bad))


def _batches(rows: Iterator[FileRow]) -> Iterator[list[FileRow]]:
    """:raises CommandRefused: the file broke off; what came before that was given out."""
    batch: list[FileRow] = []
    stored = False
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == ROWS_PER_TRANSACTION:
                yield batch
                batch, stored = [], True
    except CommandRefused as error:
        if batch:
            yield batch
        if not (batch or stored):
            raise
        raise CommandRefused(f"{error}; what came before is stored") from error
    if batch:
        yield batch


def _unknown(rows: Iterable[FileRow], names_known: set[str]) -> list[LabelRecord]:
    """Labels on issues that the store has not got, each once; an issue may say little of them."""
    labels: dict[str, LabelRecord] = {}
    for row in rows:
        for label in row.labels:
            key = name_key(label.name)
            if key not in names_known and not (key in labels and labels[key].description):
                labels[key] = label
    return list(labels.values())
