"""Erasing: what deleted issues left in rows of others and in files.

An issue's own rows are gone by then (`bot.receiving.deleted_issues`). Its words may still stand
in payloads about something else, among the precedents of predictions, in releases and in reports.
"""

from __future__ import annotations

import logging
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.learning.training_lease import training_lease
from bot.model_serving.release_archive import MANIFEST, written_anew
from store.records import ReleaseRecord
from tagger.domain.strategy import silent
from tagger.errors import ReleaseDamaged
from tagger.releases.erasing import without, words_to_erase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bot.container import Container
    from store.database import Store
    from store.records import Repository, StoredIssue, StoredRelease
    from store.tombstones import Tombstone
    from store.unit_of_work import UnitOfWork
    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What went.

    :ivar precedents: labels of predictions that named a deleted issue as a precedent.
    :ivar releases: releases that were written anew without it, or removed.
    :ivar reports: files of reports.
    """

    issues: int = 0
    deliveries: int = 0
    payloads: int = 0
    vectors: int = 0
    precedents: int = 0
    releases: int = 0
    reports: int = 0


def sweep(container: Container, repository: Repository, progress: Progress = silent) -> Erased:
    """Look for what was deleted in all that is kept of its repository, and erase it there.

    :raises LeaseHeld: a training is under way, which may have read it.
    :raises ReleaseDamaged: where releases are kept for all machines does not answer.
    :raises StoreBusy: the database's log could not be emptied; the next run does it.
    """
    store = container.store
    with training_lease(store, repository.full_name, silent, clock=container.clock):
        with store.read() as work:
            deleted = work.tombstones.unswept(repository.id)
            records = work.releases.list(repository.id)
            names = names_of(work, repository, records)
        if not deleted:
            return Erased()
        payloads, precedents = _rows(container, repository, deleted, progress)
        numbers = frozenset(tombstone.number for tombstone in deleted)
        rewritten = _rewrite(container, repository, records, deleted, progress)
        _unfinished(container, repository)
        reports = sum(_reports(container.settings.reports_folder / name, numbers) for name in names)
        store.compact()
        with store.begin() as work:
            work.tombstones.swept([tombstone.id for tombstone in deleted])
    erased = Erased(
        issues=len(deleted),
        payloads=payloads,
        precedents=precedents,
        releases=rewritten,
        reports=reports,
    )
    log.info("deleted issues erased", extra={"repository": repository.full_name})
    return erased


def names_of(
    work: UnitOfWork, repository: Repository, records: Sequence[StoredRelease]
) -> tuple[str, ...]:
    """The repository's names, unless they are another's by now.

    Those of before included: files lie under the one of their time.
    """
    earlier = (record.location.rpartition("/")[0] for record in records)
    names = dict.fromkeys((repository.full_name, *filter(None, earlier)))
    holders = {name: work.repositories.find(name) for name in names}
    return tuple(
        name for name, holder in holders.items() if holder is None or holder.id == repository.id
    )


def _rows(
    container: Container,
    repository: Repository,
    deleted: Sequence[Tombstone],
    progress: Progress,
) -> tuple[int, int]:
    payloads = precedents = 0
    for done, tombstone in enumerate(deleted, 1):
        now = container.clock()
        with container.store.begin() as work:
            # Once more: another process may have stored it in the moment of its deletion.
            again = work.erasing.issue(repository.id, tombstone.number, tombstone.github_id, now)
            mentions = work.erasing.mentions(
                repository.id, tombstone.number, tombstone.github_id, now
            )
            work.vectors.drop(
                sorted(tombstone.words)
            )  # a job in hand may have encoded it afterwards
        payloads, precedents = payloads + again.payloads + mentions[0], precedents + mentions[1]
        progress("rows that name deleted issues", done, len(deleted))
    return payloads, precedents


def _rewrite(
    container: Container,
    repository: Repository,
    records: Sequence[StoredRelease],
    deleted: Sequence[Tombstone],
    progress: Progress,
) -> int:
    """Write the repository's releases anew without the issues; returns how many had them."""
    archive = container.archive
    fetched = [(record, archive.fetch(record.location, record.digest)) for record in records]
    there = [(record, folder) for record, folder in fetched if (folder / MANIFEST).is_file()]
    digests = frozenset[str]().union(*(tombstone.words for tombstone in deleted))
    numbers = frozenset(tombstone.number for tombstone in deleted)
    texts = _texts(container.store, repository.id)
    words = words_to_erase([folder for _, folder in there], digests, texts)
    rewritten = 0
    for done, (record, folder) in enumerate(there, 1):
        rewritten += _write_anew(container, record, folder, numbers, words)
        progress("releases", done, len(there))
    return rewritten


def _write_anew(
    container: Container,
    record: StoredRelease,
    folder: Path,
    numbers: frozenset[int],
    words: frozenset[str],
) -> bool:
    """Write one release without these issues and words; False: it has none of them."""
    archive, location = container.archive, written_anew(record.location)
    target = archive.folder / location
    shutil.rmtree(target, ignore_errors=True)  # of a sweep that was ended
    try:
        manifest = without(folder, target, numbers, words)
    except ReleaseDamaged as damage:  # nobody can load it either
        log.warning("a damaged release is removed", extra={"reason": str(damage)})
        archive.remove(record.location)
        return False
    if manifest is None:
        return False
    archive.keep(location)
    anew = ReleaseRecord(
        record.id,
        record.created_at,
        location,
        manifest.digest,
        manifest.as_json(),
        record.gate,
        record.provenance,
    )
    with container.store.begin() as work:
        work.releases.add(record.repository_id, anew)
    archive.remove(record.location)
    return True


def _texts(store: Store, repository_id: int) -> Iterator[str]:
    with store.read() as work:
        for issue in work.issues.walk(repository_id, every_kind=True):
            for title, body in set(both(issue)):
                yield f"{title}\n\n{body}"


def both(issue: StoredIssue) -> tuple[tuple[str, str], ...]:
    return (issue.filed_title, issue.filed_body), (issue.title, issue.body)


def _unfinished(container: Container, repository: Repository) -> None:
    """Remove steps of trainings that were ended, and copies that were put aside."""
    for left in (container.settings.releases_folder / repository.full_name).glob(".*"):
        shutil.rmtree(left, ignore_errors=True)


def _reports(folder: Path, numbers: frozenset[int]) -> int:
    """Remove reports that name one of the issues, with its title beside it."""
    named = re.compile(r"(?<![\w&])#(\d+)\b|\"number\": ?(\d+)\b")
    removed = 0
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        text = path.read_text("utf-8", errors="replace")
        if any(int(match[1] or match[2]) in numbers for match in named.finditer(text)):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
