"""Erasing a repository: every row of it, its releases, reports, searches and caches."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.erasure.issue_erasing import Erased, both, names_of
from bot.learning.training_lease import training_lease
from tagger.domain.strategy import silent
from tagger.releases.erasing import vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.container import Container
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Rows for one transaction: other writers get their turn in between."""


def erase_repository(
    container: Container, full_name: str, progress: Progress = silent, *, older: float = 0.0
) -> Erased:
    """Erase a repository: every row, release, report, search and cache.

    A few rows at a time; where it is ended, the next call goes on.

    :param older: seconds for which nobody has touched a cache that goes: caches are not told apart
        by repository, and others may be at work on theirs.
    :raises NotStored: there is no such repository.
    :raises LeaseHeld: a training is under way.
    """
    store, settings = container.store, container.settings
    with store.read() as work:
        repository = work.repositories.get(full_name)
        records = work.releases.list(repository.id)
        names = names_of(work, repository, records)
    with training_lease(store, repository.full_name, silent, clock=container.clock):
        erased = replace(_rows(store, repository, names, progress), releases=len(records))
        for place in (*(record.location for record in records), *names):
            container.archive.remove(place)
        for name in names:
            shutil.rmtree(settings.reports_folder / name, ignore_errors=True)
            for search in (settings.studies_folder / name).parent.glob(f"{_last(name)}.sqlite3*"):
                search.unlink(missing_ok=True)
        _clear(settings.cache_folder, older)
        with store.begin() as work:  # last, or what is left could not be found again
            work.erasing.repository(repository.id)
    log.info("repository erased", extra={"repository": full_name})
    return erased


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _rows(store: Store, repository: Repository, names: Sequence[str], progress: Progress) -> Erased:
    vectors = _vectors(store, repository.id, progress)

    def step(erase: Callable[[], int], what: str) -> int:
        total = 0
        while number := erase():
            total += number
            progress(what, total, 0)
        return total

    def issues() -> int:
        with store.begin() as work:
            return work.erasing.issues(repository.id, AT_ONCE)

    def deliveries() -> int:
        with store.begin() as work:
            return sum(work.erasing.deliveries(name, AT_ONCE) for name in names)

    def payloads() -> int:
        with store.begin() as work:
            return sum(work.erasing.payloads_naming(name, AT_ONCE) for name in names)

    return Erased(
        vectors=vectors,
        issues=step(issues, "issues"),
        deliveries=step(deliveries, "deliveries"),
        payloads=step(payloads, "payloads"),
    )


def _vectors(store: Store, repository_id: int, progress: Progress) -> int:
    dropped = 0
    with store.read() as work:
        numbers = work.issues.numbers(repository_id)
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        with store.read() as work:
            issues = [work.issues.find(repository_id, number) for number in some]
        keys = [key for issue in issues if issue is not None for key in vectors_of(both(issue))]
        with store.begin() as work:
            dropped += work.vectors.drop(keys)
        progress("vectors", start + len(some), len(numbers))
    return dropped


def _clear(cache: Path, older: float) -> None:
    """Remove weights adapted to texts, and copies of tuned models; both can be made again."""
    for place in cache.glob("*/*"):
        if time.time() - place.stat().st_mtime >= older:
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
