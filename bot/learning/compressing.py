"""Compress: the release that serves teaches a small one, which the gate then judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.learning.gating import Retrained, admit, holdout_key_of, part
from bot.learning.retraining import release_order
from bot.learning.training_data import training_data
from bot.learning.training_lease import training_lease

if TYPE_CHECKING:
    from pathlib import Path

    from bot.learning.gating import Parted
    from bot.learning.workspace import Workspace
    from store.records import StoredRelease
    from tagger.compression.compressing import CompressionGoal
    from tagger.releases.release import Manifest


@dataclass(frozen=True, slots=True)
class CompressRequest:
    """A compression as it was asked for.

    :ivar studies: the folder of the searches.
    :ivar promote: False leaves the release staged, whatever the gate says.
    """

    repository: str
    goal: CompressionGoal
    studies: Path
    seed: int = 0
    promote: bool = True


def compress(workspace: Workspace, request: CompressRequest) -> Retrained:
    """Make a student of the active release, gate it against its teacher, let the better serve.

    :raises CommandRefused: no release serves, or it knows labels that are no longer there.
    :raises NotATeacher: no student can be made of what was asked for.
    :raises LeaseHeld: somebody else trains this repository right now.
    """
    store, resources = workspace.store, workspace.resources
    with store.read() as work:
        stored = work.repositories.get(request.repository)
        active = work.releases.active(stored.id)
    if active is None:
        raise CommandRefused(
            f"{request.repository} has no active release to make a student of; "
            f"issue-tagger retrain {request.repository} makes one"
        )
    with training_lease(store, stored.full_name, resources.progress) as watched:
        workspace = replace(workspace, resources=replace(resources, progress=watched))
        manifest, parted = _teach(workspace, request, stored.full_name, active)
        return admit(
            workspace,
            manifest,
            parted,
            promote=request.promote,
            events_until=active.provenance.events_until or 0,  # its neighbours are its teacher's
            learned_from=active.provenance.learned_from,
        )


def _teach(
    workspace: Workspace, request: CompressRequest, repository: str, active: StoredRelease
) -> tuple[Manifest, Parted]:
    from tagger.compression import compressing
    from tagger.releases.release import Release

    store, resources = workspace.store, workspace.resources
    teacher = Release.open(workspace.archive.fetch(active.location, active.digest), resources)
    data = training_data(store, repository, teacher.names, resources.progress, now=workspace.now)
    parted = part(data, holdout_key_of(store, repository))
    order = release_order(workspace, repository, request.seed)
    manifest = compressing.compress(
        order, teacher, parted.learned, resources, request.goal, studies=request.studies
    )
    return manifest, parted
