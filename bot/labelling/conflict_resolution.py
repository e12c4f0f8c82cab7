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
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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
    """What the bot must do to a label of its own."""

    key: str
    action: Action
    reason: str


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
            await _make(job, client, snapshot, writes[correction.key], correction, settled)
            if (
                correction.action == "removed"
            ):  # or it would pass for a person's, who shares the login
                own_writes.append(replace(writes[correction.key], state="undone"))
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
    fallback = name_key(configuration.fallback_label or "")
    present = acts.on_issue & frozenset(existing)
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
