"""What people said of labels since a release was trained: it counts at once, without retraining.

The store is asked before the next issue is tagged, not told by messages: so every process that
serves a release learns the same, and a restart learns all of it again.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from bot.configuration.effective import configuration_in
from bot.configuration.intake_rules import fallback_label_in
from bot.configuration.labels_of_types import of_repository, targets_learned
from store.engine.text import name_key
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.configuration.labels_of_types import LabelsOfTypes
    from bot.model_serving.release_cache import TaggingRelease
    from store.database import Store
    from store.records import StoredRelease, TargetKind, TrainingRow
    from store.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

OVERLAP = 200
"""Acts that are looked at once more: on PostgreSQL a later one may be seen before an earlier."""
MOST = 2000
"""Issues learned one by one; where more were labelled, the latest, until the next retraining."""


class IncrementalUpdate:
    """Brings one loaded release up to date. Not thread-safe: the cache calls it under its lock."""

    def __init__(
        self, store: Store, record: StoredRelease, using: threading.Lock | None = None
    ) -> None:
        """:param using: held while the release learns or tags: it must not do both at once."""
        self._store = store
        self._record = record
        self._using = using or threading.Lock()
        self._until = record.provenance.events_until
        self._seen: dict[int, int] = {}

    def __call__(self, release: TaggingRelease) -> int:
        """Learn what was said since the last call; returns how many issues that were."""
        repository_id = self._record.repository_id
        with self._store.read() as work:
            if self._until is None:
                self._until = work.labels.newest_event_before(self._record.created_at)
            changed, newest = work.labels.changed_since(repository_id, self._until - OVERLAP)
            fresh = self._fresh(changed)
            learned = 0
            if fresh:
                names = names_in(work, repository_id, release)
                of_types = _labels_of_types(work, repository_id)
                for row in work.issues.training_rows(repository_id, numbers=fresh):
                    with self._using:
                        learned += learn(release, row, names, of_types, self._record.target)
        self._seen.update({number: changed[number] for number in fresh})
        self._until = max(self._until, newest)
        if learned:
            log.info("learned", extra={"release": self._record.id, "issues": learned})
        return learned

    def _fresh(self, changed: Mapping[int, int]) -> Collection[int]:
        """Issues of which something new was said, the latest `MOST`."""
        fresh = [number for number in changed if changed[number] > self._seen.get(number, 0)]
        return sorted(fresh, key=lambda number: changed[number])[-MOST:]


def names_in(work: UnitOfWork, repository_id: int, release: TaggingRelease) -> dict[str, str]:
    """Folded present name → the release's own, of the labels that issues are examples of.

    The fallback label is none: who takes it off says only that the issue was looked at.
    """
    fallback = name_key(fallback_label_in(work, work.repositories.by_id(repository_id)) or "")
    renames = work.labels.renames(repository_id)
    names = {name_key(renames.get(name_key(name), name)): name for name in release.names}
    return {key: name for key, name in names.items() if key != fallback}


def _labels_of_types(work: UnitOfWork, repository_id: int) -> LabelsOfTypes:
    configuration = configuration_in(work, work.repositories.by_id(repository_id))
    return of_repository(work, repository_id, configuration)


def learn(
    release: TaggingRelease,
    row: TrainingRow,
    names: Mapping[str, str],
    of_types: Mapping[str, str] | None = None,
    target: TargetKind = "issues",
) -> bool:
    """Let an issue count, if a person has said something about its labels; False: nobody has.

    An issue of which the bot's labels were declined counts as one without them; one that lost
    its labels counts as one without any, where it counted before.

    :param names: as from `names_in`.
    :param of_types: folded labels → the types that they mean, as in training.
    :param target: what the release labels; another kind teaches it nothing.
    """
    labels = [names[key] for key in sorted(targets_learned(row, of_types or {}) & names.keys())]
    declined = any(name_key(label) in names for label in row.declined)
    if row.target != target or not (labels or declined or release.knows(row.number)):
        return False
    release.learn(row.number, IssueText.of(row.title, row.body, place=row.place), labels)
    return True
