"""The active release of each repository, loaded when first needed and kept while there is room.

Before each job the database says which release is active, so a promotion or a rollback is noticed
between two jobs, by every process; and what was labelled since its training, which counts at once.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.catching_up import CatchUp
from tagger.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from store.database import Store
    from store.records import StoredRelease
    from tagger.decision import LabelDecision, Policy

log = logging.getLogger(__name__)

WARM = 8
"""Releases loaded before the first delivery; the others when they are needed."""


class TaggingRelease(Protocol):
    """What a release must do to serve; `tagger.release.Release` does it, a test's fake too."""

    @property
    def names(self) -> Sequence[str]:
        """Labels of the release."""
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


@dataclass(frozen=True)
class OnShelf:
    """A loaded release and its id."""

    id: str
    release: TaggingRelease
    catch_up: CatchUp = field(repr=False, compare=False)


class ReleaseShelf:
    """Thread-safe; one load at a time, because two would fight for memory and processor.

    :param open_release: loads a folder and checks its digests.
    :param folder: what relative locations start from.
    :param capacity: releases kept in memory; the least recently used one goes first.
    """

    def __init__(
        self,
        store: Store,
        open_release: Callable[[Path], TaggingRelease],
        folder: Path,
        capacity: int = 100,
    ) -> None:
        self._store = store
        self._open = open_release
        self._folder = folder
        self._capacity = capacity
        self._loaded: OrderedDict[int, OnShelf] = OrderedDict()
        self._lock = threading.Lock()

    def active(self, repository_id: int) -> OnShelf | None:
        """The release that serves this repository now; None: there is none yet.

        :raises ReleaseDamaged: its folder is missing, incomplete or fails its digests.
        """
        with self._store.read() as work:
            record = work.releases.active(repository_id)
        with self._lock:
            if record is None:
                self._loaded.pop(repository_id, None)
                return None
            found = self._loaded.get(repository_id)
            if found is None or found.id != record.id:
                found = self._load(repository_id, record)
            self._loaded.move_to_end(repository_id)
            found.catch_up(found.release)
            return found

    def warm(self) -> None:
        """Load releases and let each tag a word, so that no delivery waits for models to load.

        One that cannot be loaded is left for the delivery that needs it to report.
        """
        with self._store.read() as work:
            ids = [one.id for one in work.repositories.all() if work.releases.active(one.id)]
        for repository_id in ids[: min(WARM, self._capacity)]:
            try:
                found = self.active(repository_id)
                if found is not None:
                    found.release.tag([IssueText("warm up")])
            except Exception:
                log.exception("a release cannot be loaded")

    def location(self, record: StoredRelease) -> Path:
        """The folder of a release; relative locations lie below the releases' folder."""
        return self._folder / record.location

    @property
    def loaded(self) -> tuple[str, ...]:
        """Ids of the releases in memory, the least recently used first."""
        return tuple(one.id for one in self._loaded.values())

    def _load(self, repository_id: int, record: StoredRelease) -> OnShelf:
        self._loaded.pop(repository_id, None)
        while len(self._loaded) >= self._capacity:
            self._loaded.popitem(last=False)
        release = self._open(self.location(record))
        found = OnShelf(record.id, release, CatchUp(self._store, record))
        self._loaded[repository_id] = found
        return found
