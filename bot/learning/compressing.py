"""Compress: the release that serves teaches a small one, which the gate then judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.learning.retraining import (
    Retrained,
    admit,
    holdout_key_of,
    moment_of_release,
    part,
    target_precision,
)
from bot.learning.training_data import training_data
from bot.learning.training_lease import training_turn
from bot.model_serving.incremental_updates import EVENTS_UNTIL

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bot.learning.retraining import Parted
    from bot.model_serving.release_archive import ReleaseArchive
    from store.database import Store
    from store.records import StoredRelease
    from tagger.compression.compressing import CompressionGoal
    from tagger.domain.strategy import Resources
    from tagger.releases.release import Manifest


def compress(
    store: Store,
    resources: Resources,
    archive: ReleaseArchive,
    repository: str,
    goal: CompressionGoal,
    *,
    studies: Path,
    now: datetime,
    seed: int = 0,
    promote: bool = True,
) -> Retrained:
    """Make a student of the active release, gate it against its teacher, let the better serve.

    :param archive: where releases are.
    :param studies: the folder of the searches.
    :param promote: False leaves it staged, whatever the gate says.
    :raises CommandRefused: no release serves, or it knows labels that are no longer there.
    :raises NotATeacher: no student can be made of what was asked for.
    :raises LeaseHeld: somebody else trains this repository right now.
    """
    with store.read() as work:
        stored = work.repositories.get(repository)
        active = work.releases.active(stored.id)
    if active is None:
        raise CommandRefused(
            f"{repository} has no active release to make a student of; "
            f"issue-tagger retrain {repository} makes one"
        )
    with training_turn(store, stored.full_name, resources.progress) as watched:
        school = _Compression(store, replace(resources, progress=watched), archive, active, now)
        manifest, parted = school.teach(stored.full_name, goal, studies, seed)
        known = active.gate or {}
        return admit(
            store,
            resources,
            archive,
            manifest,
            parted,
            promote=promote,
            events_until=int(known.get(EVENTS_UNTIL) or 0),  # its neighbours are its teacher's
            learned_from=known.get("learned_from") or (),
        )


@dataclass(frozen=True)
class _Compression:
    store: Store
    resources: Resources
    archive: ReleaseArchive
    active: StoredRelease
    now: datetime

    def teach(
        self, repository: str, goal: CompressionGoal, studies: Path, seed: int
    ) -> tuple[Manifest, Parted]:
        from tagger.compression import compressing
        from tagger.releases.release import Release

        folder = self.archive.fetch(self.active.location, self.active.digest)
        teacher = Release.open(folder, self.resources)
        data = training_data(
            self.store, repository, teacher.names, self.resources.progress, now=self.now
        )
        parted = part(data, holdout_key_of(self.store, repository))
        manifest = compressing.compress(
            teacher,
            parted.learned,
            self.resources,
            self.archive.folder,
            goal,
            studies=studies,
            target=target_precision(self.store, repository),
            now=moment_of_release(self.store, repository, self.now),
            seed=seed,
        )
        return manifest, parted
