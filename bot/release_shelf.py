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

from bot import freed_memory
from bot.catching_up import CatchUp
from bot.release_archive import ReleaseArchive
from bot.release_memory import ReleaseMemory, bytes_on_disk
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from store.database import Store
    from store.records import StoredRelease
    from tagger.decision import LabelDecision, Policy
    from tagger.issue import IssueText

log = logging.getLogger(__name__)

USUAL_MEMORY = 700 * 2**20
"""Bytes of releases that stay loaded: with the encoder and the program some 1.4 GB."""

WARM = 8
"""Releases loaded before the first delivery; the others when they are needed."""


class TaggingRelease(Protocol):
    """What a release must do to serve; `tagger.release.Release` does it, a test's fake too."""

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
class OnShelf:
    """A loaded release and its id.

    :ivar unsound: set where it failed for want of its files: what loads when first asked may find
        them gone. The shelf looks for a whole one then.
    """

    id: str
    release: TaggingRelease
    catch_up: CatchUp = field(repr=False, compare=False)
    using: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    unsound: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


class ReleaseShelf:
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
        self._standing_in: dict[int, tuple[str, float]] = {}
        self._loaded: ReleaseMemory[OnShelf] = ReleaseMemory(memory)
        self._lock = threading.Lock()

    def active(self, repository_id: int) -> OnShelf | None:
        """The release that serves this repository now; None: there is none yet.

        :raises ReleaseDamaged: its folder is missing, incomplete or fails its digests, and so
            does every one that served before it.
        """
        with self._store.read() as work:
            record = work.releases.active(repository_id)
        with self._lock:
            if record is None:
                self._loaded.drop(repository_id)
                return None
            found = self._loaded.get(repository_id)
            if found is not None and found.unsound.is_set():
                self._loaded.drop(repository_id)
                found = None
            if found is None or (found.id != record.id and not self._stands_in(record)):
                found = self._load_or_stand_in(repository_id, record)
            found.catch_up(found.release)
            return found

    def warm(self) -> None:
        """Load releases with the models that every issue asks, so that no delivery waits for them.

        One that cannot be loaded is left for the delivery that needs it to report.
        """
        with self._store.read() as work:
            ids = [one.id for one in work.repositories.all() if work.releases.active(one.id)]
        for repository_id in ids[:WARM]:
            try:
                found = self.active(repository_id)
                if found is not None:
                    found.release.warm_up()
            except Exception:
                log.exception("a release cannot be loaded")
        freed_memory.give_back()  # what loading took and does not need

    def location(self, record: StoredRelease) -> Path:
        """The folder of a release, fetched where this machine has not got it.

        :raises ReleaseDamaged: it cannot be fetched.
        """
        return self._archive.fetch(record.location, record.digest)

    def lacks(self, record: StoredRelease) -> bool:
        """Whether a release is neither on this machine nor anywhere that it could come from."""
        archive = self._archive
        return archive.url is None and not (archive.folder / record.location).is_dir()

    @property
    def loaded(self) -> tuple[str, ...]:
        """Ids of the releases in memory, the least recently used first."""
        return tuple(one.id for one in self._loaded.values)

    def _stands_in(self, record: StoredRelease) -> bool:
        """Whether an earlier release stands in for this one, and it is too soon to try again."""
        failed, at = self._standing_in.get(record.repository_id, ("", 0.0))
        return failed == record.id and time.monotonic() - at < TRIED_AGAIN

    def _load_or_stand_in(self, repository_id: int, record: StoredRelease) -> OnShelf:
        try:
            found = self._load(repository_id, record)
        except ReleaseDamaged as damage:
            found = self._earlier(repository_id, record, damage)
            self._standing_in[repository_id] = (record.id, time.monotonic())
            log.error(  # noqa: TRY400 - the message says it all
                "the active release is damaged, an earlier one stands in; "
                "issue-tagger rollback or retrain ends this",
                extra={"release": record.id, "stands_in": found.id, "reason": str(damage)},
            )
        else:
            self._standing_in.pop(repository_id, None)
        return found

    def _earlier(
        self, repository_id: int, record: StoredRelease, damage: ReleaseDamaged
    ) -> OnShelf:
        """The last release that served before and is whole; else the damage is raised."""
        found = self._loaded.get(repository_id)
        with self._store.read() as work:
            served = work.releases.served(repository_id)
        for earlier in served:
            if found is not None and found.id == earlier.id:
                return found
            try:
                if earlier.id != record.id:
                    return self._load(repository_id, earlier)
            except ReleaseDamaged:
                log.warning("an earlier release is damaged too", extra={"release": earlier.id})
        raise damage

    def _load(self, repository_id: int, record: StoredRelease) -> OnShelf:
        def load() -> OnShelf:
            using = threading.Lock()
            release = self._opened(record)
            return OnShelf(record.id, release, CatchUp(self._store, record, using), using)

        return self._loaded.load(repository_id, bytes_on_disk(self.location(record)), load)

    def _opened(self, record: StoredRelease) -> TaggingRelease:
        try:
            return self._open(self.location(record))
        except ReleaseDamaged as damage:
            if self._archive.url is None:
                raise
            log.warning("a release is fetched again", extra={"reason": str(damage)})
            return self._open(self._archive.fetch_again(record.location, record.digest))
