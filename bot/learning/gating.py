"""The gate after a training: issues held out for good, the comparison, what serves from now on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from store.engine.text import name_key
from store.records import ComparedOn, ReleaseProvenance, ReleaseRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.learning.workspace import Workspace
    from store.database import Store
    from store.records import StoredRelease, TargetKind
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.monitoring.gate import GateDecision
    from tagger.monitoring.release_comparison import Released
    from tagger.releases.release import Manifest
    from tagger.strategies.candidates import CandidatePrediction

ENOUGH_TO_HOLD_OUT = 200
"""Labelled issues from which a tenth is kept out of training; below, each example counts more."""

HELD_OUT_SHARE = 10
MAX_HELD_OUT = 500


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of a training: its release, the comparison, and whether it serves now.

    :ivar seconds: from the beginning of the training until the release was through the gate.
    :ivar stages: all releases of the training, in order, this one among them.
    :ivar to_come: names of members that were asked for and are in no release yet.
    """

    manifest: Manifest
    gate: GateDecision
    promoted: bool
    seconds: float = 0.0
    stages: tuple[Retrained, ...] = ()
    to_come: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parted:
    """Labelled issues, parted into those to learn from and those for the gate."""

    learned: TrainingSet
    held_out: TrainingSet


def admit(
    workspace: Workspace,
    manifest: Manifest,
    parted: Parted,
    *,
    promote: bool,
    events_until: int,
    learned_from: Sequence[int] = (),
    target: TargetKind = "issues",
) -> Retrained:
    """Let a new release through the gate, store it, and promote it where it may be.

    :param parted: what it has learned from, and what it has not.
    :param events_until: the last label event that it knows of.
    :param learned_from: numbers of further issues that it owes something to.
    """
    store, archive = workspace.store, workspace.archive
    with store.read() as work:
        repository_id = work.repositories.get(manifest.repository).id
        active = work.releases.active(repository_id, target)
        renames = work.labels.renames(repository_id)
    location = f"{manifest.repository}/{manifest.id}"
    archive.keep(location)
    fair = comparable(active, parted.held_out)
    gate = _gate(workspace, active, location, fair, renames)
    now = manifest.created_at
    provenance = ReleaseProvenance(
        _learned_from(parted, learned_from),
        len(parted.held_out),
        events_until,
        _replayable(active, fair, renames),
    )
    record = ReleaseRecord(
        manifest.id, now, location, manifest.digest, manifest.as_json(), gate, provenance, target
    )
    serves = promote and gate.promote
    with store.begin() as work:
        work.releases.add(repository_id, record, state="staged" if gate.promote else "refused")
        if serves:
            work.releases.promote(repository_id, manifest.id, now, reason=gate.reason)
    return Retrained(manifest, gate, serves)


def holdout_key_of(store: Store, repository: str, *, keep: bool = False) -> str:
    """By what a repository's issues for the gate are drawn: what it was called when first trained.

    :param keep: for as long as it is stored, whatever it is called later.
    """
    with store.begin() if keep else store.read() as work:
        stored = work.repositories.get(repository)
        if stored.holdout_key is None and keep:
            work.repositories.set_holdout_key(stored.id, stored.full_name)
    return stored.holdout_key or stored.full_name


def part(data: TrainingSet, holdout_key: str) -> Parted:
    """Keep a tenth of the labelled issues for the gate, always the same ones.

    Which they are follows from their numbers alone, so no release ever learns from them and each
    comparison is fair to both sides.

    :param holdout_key: as from `holdout_key_of`.
    """
    if len(data) < ENOUGH_TO_HOLD_OUT:
        return Parted(data, data.subset([]))
    out = [row for row, number in enumerate(data.numbers) if is_held_out(holdout_key, number)]
    out = out[-MAX_HELD_OUT:]
    kept_in = sorted(set(range(len(data))) - set(out))
    return Parted(data.subset(kept_in), data.subset(out))


def is_held_out(holdout_key: str, number: int) -> bool:
    """Whether an issue is never learned from, told by its number alone."""
    digest = hashlib.sha256(f"{holdout_key.lower()}#{number}".encode()).digest()
    return digest[0] * 256 + digest[1] < 65536 // HELD_OUT_SHARE


def comparable(active: StoredRelease | None, held_out: TrainingSet) -> TrainingSet:
    """Issues held out that the active release has not learned from either."""
    learned_from = set(active.provenance.learned_from) if active else set()
    return held_out.subset(
        [n for n, number in enumerate(held_out.numbers) if number not in learned_from]
    )


@dataclass(frozen=True)
class UnderPresentNames:
    """A release whose labels are called as they are now, or were when it was compared.

    :ivar names: in the order of its own.
    """

    release: Released
    names: tuple[str, ...]

    @classmethod
    def of(cls, release: Released, renames: Mapping[str, str], present: Iterable[str]) -> Self:
        """:param renames: folded former name → present name; `present` has the spelling."""
        spelled = {name_key(name): name for name in present}
        now = (renames.get(name_key(name), name) for name in release.names)
        return cls(release, tuple(spelled.get(name_key(name), name) for name in now))

    def predict(self, issues: Sequence[IssueText]) -> CandidatePrediction:
        return self.release.predict(issues)


def _replayable(
    active: StoredRelease | None, fair: TrainingSet, renames: Mapping[str, str]
) -> ComparedOn | None:
    """What the gate compared on, with the labels as they were; see `replaying`."""
    if active is None or not len(fair):
        return None
    rows = zip(fair.numbers, fair.targets, strict=True)
    issues = tuple((number, tuple(row.nonzero()[0].tolist())) for number, row in rows)
    return ComparedOn(active.id, tuple(fair.names), dict(renames), issues)


def _gate(
    workspace: Workspace,
    active: StoredRelease | None,
    location: str,
    fair: TrainingSet,
    renames: Mapping[str, str],
) -> GateDecision:
    from tagger.errors import ReleaseDamaged
    from tagger.monitoring.gate import GateDecision, first_release
    from tagger.monitoring.release_comparison import compare
    from tagger.releases.release import Release

    if active is None:
        return first_release()
    if not len(fair):
        return GateDecision(True, _NOTHING_TO_COMPARE_ON, 0)
    archive, resources = workspace.archive, workspace.resources
    new = Release.open(archive.folder / location, resources)
    try:
        serving = Release.open(archive.fetch(active.location, active.digest), resources)
    except ReleaseDamaged as damage:
        return GateDecision(True, f"the active release cannot be compared with: {damage}", 0)
    first, second = (
        UnderPresentNames.of(release, renames, fair.names) for release in (new, serving)
    )
    return compare(first, second, fair)


_NOTHING_TO_COMPARE_ON = (
    f"there are no held-out issues yet: from {ENOUGH_TO_HOLD_OUT} labelled issues on, a tenth is "
    "kept out of training for this comparison"
)


def _learned_from(parted: Parted, more: Sequence[int]) -> tuple[int, ...]:
    """Issues that a later comparison leaves out: where none were held out, all."""
    return tuple(sorted({*more, *(() if len(parted.held_out) else parted.learned.numbers)}))
