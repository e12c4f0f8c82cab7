"""Sets labels on an issue, and makes sure that none was created by it.

GitHub creates a label that a repository has not got, and it has no conditional write: somebody may
delete or rename a label between the look and the write. The labels in GitHub's answer say so by
their ids, and what our own call has created goes again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import SnapshotOutdated
from bot.github.errors import (
    Forbidden,
    Gone,
    Invalid,
    Moved,
    NotFound,
    RateLimited,
    Refused,
    Unreachable,
)
from bot.github.labels import COLOR_OF_A_LABEL_MADE_IN_PASSING
from bot.labelling.approvals import are_known_to_lack, held_back, remember_lack
from bot.labelling.type_writes import remove_target, set_type
from bot.receiving.repository_labels import labels_now
from store.engine.text import name_key
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bot.github.client import GitHubClient
    from bot.github.labels import ReasonedLabel
    from bot.github.models import GitHubLabel
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from store.records import Write

log = logging.getLogger(__name__)

_OUTDATED = "the label was renamed or deleted meanwhile"


@dataclass(frozen=True)
class LabelAnswer:
    """What GitHub did with labels: those in neither are set.

    :ivar refused: by write, why GitHub refused it for good.
    :ivar held: writes that wait for a person's approval.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    held: frozenset[int] = frozenset()

    def __or__(self, other: LabelAnswer) -> LabelAnswer:
        return LabelAnswer({**self.refused, **other.refused}, self.held | other.held)


async def set_labels(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Sequence[Write],
    reasons: Mapping[str, ReasonedLabel] | None = None,
) -> LabelAnswer:
    """Add labels, and set the type where one of them is a type.

    Each label the look has seen, or the configuration lets the bot create.

    :param reasons: by folded name, what GitHub is to show beside a label, where it can.
    :raises LookAgain: the issue or a label is another by now; what was created is gone again.
    """
    types = [write for write in writes if is_type(write.label)]
    labels = [write for write in writes if not is_type(write.label)]
    shown = {} if are_known_to_lack(job) else reasons or {}
    answer = LabelAnswer()
    if labels:
        answer = await _add(job, client, snapshot, labels, shown)
    for write in types:
        refused, held = await set_type(job, client, snapshot, write, shown)
        answer |= LabelAnswer(refused, held)
    return answer


async def _add(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Sequence[Write],
    shown: Mapping[str, ReasonedLabel],
) -> LabelAnswer:
    """As `set_labels`, of labels alone."""
    labels = [shown.get(name_key(write.label), write.label) for write in writes]
    try:
        answer = await client.add_labels(job.full_name, job.number, labels)
    except Gone:
        return LabelAnswer({write.id: "the issue is gone" for write in writes})
    except (Moved, NotFound) as error:
        if not snapshot.again:
            raise SnapshotOutdated("the issue is not where it was") from error
        return LabelAnswer({write.id: f"GitHub answered {error.status}" for write in writes})
    except Invalid as error:
        if len(writes) == 1 and not shown:
            return LabelAnswer({writes[0].id: f"GitHub refused it: {error.message}"})
        return await _set_singly(job, client, snapshot, writes, shown)
    await _take_back_created(job, client, snapshot, writes, answer)
    there = {name_key(label.name) for label in answer}
    absent = [write for write in writes if shown and name_key(write.label) not in there]
    if not absent:
        return LabelAnswer()
    await take_back_suggested(job, client, snapshot, {name_key(write.label) for write in absent})
    return LabelAnswer(held=await held_back(job, client, snapshot, absent))


async def _set_singly(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Sequence[Write],
    shown: Mapping[str, ReasonedLabel],
) -> LabelAnswer:
    """Where GitHub refuses several together: one after the other, and a single one by its name.

    An older server knows labels by their names alone.
    """
    answer = LabelAnswer()
    if len(writes) > 1:
        for write in writes:
            answer |= await set_labels(job, client, snapshot, [write], shown)
        return answer
    answer = await set_labels(job, client, snapshot, writes)
    if not answer.refused:
        await asyncio.to_thread(remember_lack, job)
    return answer


async def take_off(job: IssueJob, client: GitHubClient, write: Write, reason: str) -> None:
    """Take a label or type of the bot's off.

    Put down first: GitHub's webhook may come before the record.

    :raises LookAgain: the issue is another's by now.
    :raises GitHubError: where nothing can have happened, it is no longer put down.
    """
    await asyncio.to_thread(_put_down, job, write, reason)
    try:
        await remove_target(client, job.full_name, job.number, write.label)
    except (RateLimited, Refused, Unreachable) as error:
        # The next removal under this login would pass for the bot's, and may be a person's.
        if not getattr(error, "may_have_happened", False):
            await asyncio.to_thread(_put_down, job, write, write.reason)
        if isinstance(error, Gone | Moved):
            raise SnapshotOutdated("the issue is not where it was") from error
        raise


async def delete_created(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, labels: Iterable[GitHubLabel]
) -> bool:
    """Delete those of a repository's labels that our own call has created; returns if any was.

    Certain it is where the look has seen the name under another id, the label looks as GitHub
    makes it in passing, and no issue carries it.
    """
    return await _delete(job, client, [each for each in labels if _was_created(each, snapshot)])


async def take_back_suggested(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, keys: Collection[str]
) -> None:
    """Delete labels that suggesting them has created: renamed or deleted since the look.

    :param keys: folded names of what was suggested.
    :raises LookAgain: a label was deleted.
    """
    now = job.context.clock()
    present = await labels_now(job.context.store, client, job.subject.repository, now)
    if all(label_id in snapshot.labels.ids for label_id, key in present.ids.items() if key in keys):
        return
    labels = [label for label in await client.labels(job.full_name) if name_key(label.name) in keys]
    if await delete_created(job, client, snapshot, labels):
        raise SnapshotOutdated(_OUTDATED)


async def take_back_of_before(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, writes: Iterable[Write]
) -> None:
    """Take off and delete what an earlier attempt created, killed before it could look.

    Told by the id that the label had when the write was put down: one of its name and another id,
    as GitHub makes it in passing, came into being with our call.

    :param writes: put down by an earlier attempt and not recorded.
    :raises LookAgain: a label was deleted.
    """
    there = {
        name_key(label.name): label for label in (snapshot.issue.labels if snapshot.issue else ())
    }
    writes = tuple(writes)
    former = await asyncio.to_thread(_former_names, job) if writes else {}
    created = []
    for write in writes:
        key = name_key(write.label)
        for label in (there[name] for name in {key} | former.get(key, set()) if name in there):
            if label.id is None or write.external_id in {None, str(label.id)}:
                continue
            if _is_plain(label) and _was_set_by_us(label, snapshot):
                await take_off(job, client, replace(write, label=label.name), _OUTDATED)
                created.append(label)
    if await _delete(job, client, created):
        raise SnapshotOutdated(_OUTDATED)


async def delete_suggested_of_before(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, suggested: Collection[int | None]
) -> None:
    """Delete what an earlier attempt's suggestions created, killed before it could look.

    Told as in `take_back_of_before`, where the label waits on the issue and is used nowhere.

    :param suggested: ids of the labels that wait for an answer on this issue.
    :raises LookAgain: a label was deleted.
    """
    ids = {
        name_key(write.label): write.external_id
        for write in snapshot.writes
        if write.form != "comment"
        and write.state == "intended"
        and write.run_id in snapshot.own_runs
        and write.external_id is not None
    }
    former = await asyncio.to_thread(_former_names, job) if ids else {}
    doubtful = {
        label_id
        for key, own_id in ids.items()
        for label_id, name in snapshot.labels.ids.items()
        if name in {key, *former.get(key, ())} and str(label_id) != own_id and label_id in suggested
    }
    if not doubtful:
        return
    created = [
        label
        for label in await client.labels(job.full_name)
        if label.id in doubtful
        and _is_plain(label)
        and not await client.is_in_use(job.full_name, label.name)
    ]
    if await _delete(job, client, created):
        raise SnapshotOutdated(_OUTDATED)


def _former_names(job: IssueJob) -> dict[str, set[str]]:
    """By folded name what a label was called before, also where another is called so now."""
    with job.context.store.read() as work:
        labels = work.labels.list(job.subject.repository.id)
    return {name_key(label.name): set(map(name_key, label.former_names)) for label in labels}


async def _delete(job: IssueJob, client: GitHubClient, created: Sequence[GitHubLabel]) -> bool:
    for label in created:
        if await client.is_in_use(job.full_name, label.name):
            continue
        try:
            await client.delete_label(job.full_name, label.name)
        except NotFound:
            continue
        except Forbidden as error:
            log.warning("a label that was created stays", extra={"reason": str(error)})
    return bool(created)


async def _take_back_created(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    writes: Sequence[Write],
    answer: Sequence[GitHubLabel],
) -> None:
    by_key = {name_key(write.label): write for write in writes}
    created = [
        label
        for label in answer
        if name_key(label.name) in by_key and _was_created(label, snapshot)
    ]
    for label in created:
        await take_off(job, client, by_key[name_key(label.name)], _OUTDATED)
    if await delete_created(job, client, snapshot, created):
        raise SnapshotOutdated(_OUTDATED)


def _was_created(label: GitHubLabel, snapshot: Snapshot) -> bool:
    """Whether a label came into being since the look, in place of one of the same name."""
    names_before = snapshot.labels.ids
    replaced = name_key(label.name) in names_before.values()
    return label.id is not None and label.id not in names_before and replaced and _is_plain(label)


def _was_set_by_us(label: GitHubLabel, snapshot: Snapshot) -> bool:
    """Whether it came onto the issue under our login; a person may have made it anew and set it."""
    act = snapshot.acts.last.get(name_key(label.name))
    own = (snapshot.own_login or "").casefold()
    return act is not None and act.action == "added" and act.login.casefold() == own


def _is_plain(label: GitHubLabel) -> bool:
    return label.color == COLOR_OF_A_LABEL_MADE_IN_PASSING and not label.description


def _put_down(job: IssueJob, write: Write, reason: str) -> None:
    with job.context.store.begin() as work:
        if job.lease is not None:
            job.lease.renew(work)
        work.writes.take_back(write.id, reason)
