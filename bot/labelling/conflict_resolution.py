"""After a write: look again until what people did last stands, whenever they did it.

GitHub has no conditional write, so somebody may act between the look and the write. What that
somebody did is seen in the timeline afterwards, and the bot gives way: its label goes where a
person had removed it or chosen another of its group, closed the issue or switched the label off,
and a label that the bot took away goes back where a person had just set it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.configuration import Mode
from bot.errors import SnapshotOutdated
from bot.github.errors import Gone, NotFound
from bot.labelling import opt_out
from bot.labelling.label_writes import set_labels, take_off
from bot.labelling.policy import may_write
from bot.labelling.snapshot import acts_since, heard_now
from bot.labelling.type_writes import restore_type
from store.engine.text import name_key
from store.provenance import PEOPLE
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from bot.receiving.actors import LabelActs
    from store.records import Action, Write

MAX_ROUNDS = 5
"""Each round but the first means that somebody acted within the last second."""


@dataclass(frozen=True)
class Correction:
    """What the bot must do to a label of its own.

    :ivar restores: the type of somebody else's that it has replaced and puts back; "": none.
    """

    key: str
    action: Action
    reason: str
    restores: str = ""


@dataclass
class Resolution:
    """How it stands in the end.

    :ivar undone: folded labels that were taken back, and why.
    :ivar restored: those that were put back because a person had set them.
    """

    acts: LabelActs
    undone: dict[str, str] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)


async def settle(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Mapping[str, Write],
    fresh: Collection[str] = (),
) -> Resolution:
    """Look, give way, look again.

    :param mine: folded label → the write that set it, for what this job may touch.
    :param fresh: those of them that this job has set.
    :raises LookAgain: the issue is gone.
    """
    settled = Resolution(snapshot.acts)
    own_writes = list(writes.values())
    for _ in range(MAX_ROUNDS):
        try:
            settled.acts = await acts_since(job, client, snapshot, own_writes)
        except (NotFound, Gone) as error:
            raise SnapshotOutdated("the issue is gone") from error
        existing = snapshot.labels.names
        against = await asyncio.to_thread(_against, job, settled.acts, fresh, existing)
        wrong = list(corrections(writes, settled.acts, job.configuration, existing, against))
        for correction in wrong:
            write = writes[correction.key]
            if correction.restores:
                own_writes.append(await restore_type(job, client, write, correction.restores))
                settled.undone[correction.key] = correction.reason
                continue
            await _make(job, client, snapshot, write, correction, settled)
            if (
                correction.action == "removed"
            ):  # or it would pass for a person's, who shares the login
                own_writes.append(replace(write, state="undone"))
        if not wrong:
            break
    return settled


def corrections(
    own_labels: Iterable[str],
    acts: LabelActs,
    configuration: RepositoryConfiguration,
    existing: Iterable[str],
    against: Mapping[str, str] | None = None,
) -> Iterable[Correction]:
    """What the bot did last and a person's word speaks against.

    :param mine: folded labels that the bot may touch.
    :param existing: folded labels that the repository has.
    :param against: folded labels that came too late, and why.
    """
    own_labels, own_types = _parted(own_labels)
    yield from _type_corrections(own_types, acts, against or {})
    fallback = name_key(configuration.fallback_label or "")
    present = frozenset(key for key in acts.on_issue & frozenset(existing) if not is_type(key))
    chosen = frozenset(key for key in present if acts.last[key].kind != "self")
    for key in own_labels:
        last, person = acts.last.get(key), acts.people.get(key)
        if last is None or last.kind != "self":
            continue
        if last.action == "removed":
            if person == "added":
                yield Correction(key, "added", "a person set it")
            continue
        rivals = configuration.rivals(key, chosen)
        if person == "removed":
            yield Correction(key, "removed", "a person removed it")
        elif person is None and against and key in against:
            yield Correction(key, "removed", against[key])
        elif person is None and rivals:
            yield Correction(key, "removed", f"a person chose {min(rivals)}")
        elif person is None and key == fallback and present - {key}:
            yield Correction(key, "removed", "a label arrived")


def _parted(keys: Iterable[str]) -> tuple[list[str], list[str]]:
    """Labels and types."""
    labels: list[str] = []
    types: list[str] = []
    for key in keys:
        (types if is_type(key) else labels).append(key)
    return labels, types


def _type_corrections(
    own_types: Sequence[str], acts: LabelActs, against: Mapping[str, str]
) -> Iterable[Correction]:
    """What the bot did to the type last and somebody's act before it speaks against.

    It sets a type only where none was seen, and takes away only its own: if another type went by
    it, that came in between, whoever set it.
    """
    last, others = acts.type_last, acts.type_by_others
    if last is None or last.kind != "self" or not own_types:
        return
    standing = name_key(last.target) if last.action == "added" else None
    key = standing or own_types[0]
    if key not in own_types:
        return
    if others is not None and others.action == "added":
        theirs = name_key(others.target)
        if theirs in own_types and standing is None:
            yield Correction(theirs, "added", "a person set it")
        elif theirs != standing:
            yield Correction(key, "removed", "somebody else set the type", others.target)
    elif others is not None and others.kind in PEOPLE and standing is not None:
        yield Correction(key, "removed", "a person took the type away")
    elif standing is not None and key in against:
        yield Correction(key, "removed", against[key])


def _against(
    job: IssueJob, acts: LabelActs, fresh: Collection[str], existing: Mapping[str, str]
) -> dict[str, str]:
    """Why labels that were just set are not wanted: what was heard since, or seen to come before.

    Who closed the issue or switched the label off before it came has not asked for it.
    """
    if not fresh:
        return {}
    why = {key: acts.too_late[key] for key in fresh if key in acts.too_late}
    now = heard_now(job)
    for key in fresh:
        if opt_out.is_told_off(now.subject.issue):
            why[key] = opt_out.WHY
        elif not _may_be_set(key, now.configuration, existing):
            why[key] = "the configuration has changed"
    return why


def _may_be_set(
    key: str, configuration: RepositoryConfiguration, existing: Mapping[str, str]
) -> bool:
    if key == name_key(configuration.fallback_label or ""):
        return may_write(configuration, existing.values())
    return configuration.mode_for(existing.get(key, key)) is Mode.APPLY


async def _make(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    write: Write,
    correction: Correction,
    settled: Resolution,
) -> None:
    if correction.action == "removed":
        await take_off(job, client, write, correction.reason)
        settled.undone[correction.key] = correction.reason
    else:
        await set_labels(job, client, snapshot, [write])
        settled.undone.pop(correction.key, None)
        settled.restored.add(correction.key)
