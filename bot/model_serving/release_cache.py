"""The active release of each repository, loaded when first needed and kept while there is room.

Before each job the database says which release is active, so a promotion or a rollback is noticed
between two jobs, by every process; and what was labelled since its training, which counts at once.
Where the active one is damaged on this machine it is fetched again; where there is no good copy,
the one that served before goes on serving, loudly.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.model_serving.incremental_updates import IncrementalUpdate
from bot.model_serving.lru import ReleaseLru, bytes_on_disk
from bot.model_serving.release_archive import ReleaseArchive
from bot.process import memory as freed_memory
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from store.database import Store
    from store.records import StoredRelease, TargetKind
    from tagger.domain.decision import LabelDecision, Policy
    from tagger.domain.issue import IssueText

log = logging.getLogger(__name__)

USUAL_MEMORY = 700 * 2**20
"""Bytes of releases that stay loaded: with the encoder and the program some 1.4 GB."""

WARM = 8
"""Releases loaded before the first delivery; the others when they are needed."""


class TaggingRelease(Protocol):
    """What a release must do to serve: `Release` does it, and so does a test's fake."""

    @property
    def names(self) -> Sequence[str]:
        """Labels of the release."""
        ...

    def warm_up(self) -> None:
        """Load what every issue goes through."""
        ...

    def tag(
        self, issues: Sequence[IssueText], policy: Policy = ...
    ) -> Sequence[Sequence[LabelDecision]]:
        """For each issue a decision on every label of the release."""
        ...

    def learn(self, number: int, issue: IssueText, labels: Sequence[str]) -> None:
        """Let a labelled issue count from now on; one that is known is replaced."""
        ...

    def knows(self, number: int) -> bool:
        """Whether this issue counts already."""
        ...


TRIED_AGAIN = 60.0
"""Seconds after which a damaged release is looked at again while an earlier one stands in."""


@dataclass(frozen=True)
class LoadedRelease:
    """A loaded release and its id.

    :ivar digest: of its files; a release that an issue was erased from keeps its id.
    :ivar unsound: set where it failed for want of its files: what loads when first asked may find
        them gone. The cache looks for a whole one then.
    """

    id: str
    release: TaggingRelease
    catch_up: IncrementalUpdate = field(repr=False, compare=False)
    using: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    unsound: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    digest: str = ""


class ReleaseCache:
    """Thread-safe; one load at a time, because two would fight for memory and processor.

    :param open_release: loads a folder and checks its digests.
    :param archive: where the folders are, or their folder where that is all there is.
    :param memory: bytes of releases kept loaded; the least recently used one goes first.
    """

    def __init__(
        self,
        store: Store,
        open_release: Callable[[Path], TaggingRelease],
        archive: ReleaseArchive | Path,
        memory: int = USUAL_MEMORY,
    ) -> None:
        self._store = store
        self._open = open_release
        self._archive = archive if isinstance(archive, ReleaseArchive) else ReleaseArchive(archive)
        self._standing_in: dict[tuple[int, TargetKind], tuple[str, float]] = {}
        self._loaded: ReleaseLru[LoadedRelease] = ReleaseLru(memory)
        self._lock = threading.Lock()

    def active(self, repository_id: int, target: TargetKind = "issues") -> LoadedRelease | None:
        """The release that serves this repository now; None: there is none yet.

        :param target: issues and pull requests each have one.

        :raises ReleaseDamaged: its folder is missing, incomplete or fails its digests, and so
            does every one that served before it.
        """
        key = repository_id, target
        with self._store.read() as work:
            digest = work.releases.active_digest(repository_id, target)
        with self._lock:
            loaded_release = self._loaded.get(key)
            if loaded_release is not None and _is_as_loaded(loaded_release, digest):
                loaded_release.catch_up(loaded_release.release)
                return loaded_release
        with self._store.read() as work:
            record = work.releases.active(repository_id, target)
        with self._lock:
            if record is None:
                self._loaded.drop(key)
                return None
            loaded_release = self._loaded.get(key)
            if loaded_release is not None and loaded_release.unsound.is_set():
                self._loaded.drop(key)
                loaded_release = None
            if loaded_release is None or (
                _is_another(loaded_release, record) and not self._stands_in(record)
            ):
                loaded_release = self._load_or_stand_in(record)
            loaded_release.catch_up(loaded_release.release)
            return loaded_release

    def warm(self) -> None:
        """Load releases with the models that every issue asks, so that no delivery waits for them.

        One that cannot be loaded is left for the delivery that needs it to report.
        """
        with self._store.read() as work:
            ids = [
                repository.id
                for repository in work.repositories.all()
                if work.releases.active(repository.id)
            ]
        for repository_id in ids[:WARM]:
            try:
                loaded_release = self.active(repository_id)
                if loaded_release is not None:
                    loaded_release.release.warm_up()
            except Exception:
                log.exception("a release cannot be loaded")
        freed_memory.give_back()  # what loading took and does not need

    def location(self, record: StoredRelease) -> Path:
        """The folder of a release, fetched where this machine has not got it.

        :raises ReleaseDamaged: it cannot be fetched.
        """
        return self._archive.fetch(record.location, record.digest)

    def check(self, record: StoredRelease) -> None:
        """Open a release to see that it could serve; it is not kept.

        :raises ReleaseDamaged: it could not.
        """
        self._opened(record)

    def lacks(self, record: StoredRelease) -> bool:
        """Whether a release is neither on this machine nor anywhere that it could come from."""
        archive = self._archive
        return archive.url is None and not (archive.folder / record.location).is_dir()

    @property
    def loaded(self) -> tuple[str, ...]:
        """Ids of the releases in memory, the least recently used first."""
        return tuple(value.id for value in self._loaded.values)

    def _stands_in(self, record: StoredRelease) -> bool:
        """Whether an earlier release stands in for this one, and it is too soon to try again."""
        failed, at = self._standing_in.get(_key(record), ("", 0.0))
        return failed == record.id and time.monotonic() - at < TRIED_AGAIN

    def _load_or_stand_in(self, record: StoredRelease) -> LoadedRelease:
        try:
            loaded_release = self._load(record)
        except ReleaseDamaged as damage:
            loaded_release = self._earlier(record, damage)
            self._standing_in[_key(record)] = (record.id, time.monotonic())
            log.error(  # noqa: TRY400 - the message says it all
                "the active release is damaged, an earlier one stands in; "
                "issue-tagger rollback or retrain ends this",
                extra={"release": record.id, "stands_in": loaded_release.id, "reason": str(damage)},
            )
        else:
            self._standing_in.pop(_key(record), None)
        return loaded_release

    def _earlier(self, record: StoredRelease, damage: ReleaseDamaged) -> LoadedRelease:
        """The last release that served before and is whole; else the damage is raised."""
        loaded_release = self._loaded.get(_key(record))
        with self._store.read() as work:
            served = work.releases.served(*_key(record))
        for earlier in served:
            if loaded_release is not None and loaded_release.id == earlier.id:
                return loaded_release
            try:
                if earlier.id != record.id:
                    return self._load(earlier)
            except ReleaseDamaged:
                log.warning("an earlier release is damaged too", extra={"release": earlier.id})
        raise damage

    def _load(self, record: StoredRelease) -> LoadedRelease:
        def load() -> LoadedRelease:
            using = threading.Lock()
            release = self._opened(record)
            catch_up = IncrementalUpdate(self._store, record, using)
            return LoadedRelease(record.id, release, catch_up, using, digest=record.digest)

        return self._loaded.load(_key(record), bytes_on_disk(self.location(record)), load)

    def _opened(self, record: StoredRelease) -> TaggingRelease:
        try:
            return self._open(self.location(record))
        except ReleaseDamaged as damage:
            if self._archive.url is None:
                raise
            log.warning("a release is fetched again", extra={"reason": str(damage)})
            return self._open(self._archive.fetch_again(record.location, record.digest))


def _key(record: StoredRelease) -> tuple[int, TargetKind]:
    return record.repository_id, record.target


def _is_as_loaded(loaded_release: LoadedRelease, digest: tuple[str, str] | None) -> bool:
    return (loaded_release.id, loaded_release.digest) == digest and not (
        loaded_release.unsound.is_set()
    )


def _is_another(loaded_release: LoadedRelease, record: StoredRelease) -> bool:
    return (loaded_release.id, loaded_release.digest) != (record.id, record.digest)
