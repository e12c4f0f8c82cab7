"""Sets an issue's native type and takes it away, where a label would be added and taken off.

An issue has one type, and GitHub has no conditional write: what somebody else sets between the look
and our write is replaced by it. `conflict_resolution` looks afterwards and puts theirs back.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bot.errors import SnapshotOutdated
from bot.github.errors import Gone, Invalid, Moved, NotFound
from bot.labelling.approvals import held_back
from store.engine.text import name_key
from store.records.issue_types import is_type, issue_type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.github.client import GitHubClient
    from bot.github.labels import ReasonedLabel
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from store.records import Write

log = logging.getLogger(__name__)


async def set_type(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    write: Write,
    shown: Mapping[str, ReasonedLabel],
) -> tuple[Mapping[int, str], frozenset[int]]:
    """Set the type of a write.

    :param shown: by folded target, what GitHub is to show beside it.
    :returns: by write, why GitHub refused it for good; and the write, where it is held back.
    :raises SnapshotOutdated: the issue is another by now.
    """
    name, reasons = issue_type_of(write.label), shown.get(name_key(write.label))
    wanted = replace(reasons, name=name) if reasons else name
    try:
        issue = await client.set_type(job.full_name, job.number, wanted)
    except Gone:
        return {write.id: "the issue is gone"}, frozenset()
    except (Moved, NotFound) as error:
        if not snapshot.again:
            raise SnapshotOutdated("the issue is not where it was") from error
        return {write.id: f"GitHub answered {error.status}"}, frozenset()
    except Invalid as error:
        if reasons:  # an older server knows types by their names alone
            return await set_type(job, client, snapshot, write, {})
        return {write.id: f"GitHub refused it: {error.message}"}, frozenset()
    if issue.type:
        return {}, frozenset()
    held = await held_back(job, client, snapshot, [write]) if reasons else frozenset()
    why = "GitHub left it out: setting a type takes push access"
    return ({} if held else {write.id: why}), held


async def restore_type(job: IssueJob, client: GitHubClient, own: Write, target: str) -> Write:
    """Put back the type of somebody else that our own write, of this record, has replaced.

    Put down as a write of the same run, so that it is known for ours whatever comes in between.
    """
    write = await asyncio.to_thread(_put_down, job, own, target)
    try:
        await client.set_type(job.full_name, job.number, issue_type_of(target))
    except (Gone, Moved, NotFound) as error:
        raise SnapshotOutdated("the issue is not where it was") from error
    except Invalid as error:  # the type was deleted meanwhile
        log.warning("a type cannot be put back", extra={"type": target, "reason": str(error)})
        await asyncio.to_thread(_mark, job, write, "left")
        return write
    await asyncio.to_thread(_mark, job, write, "written")
    return write


async def add_target(client: GitHubClient, full_name: str, number: int, target: str) -> None:
    """Add a label, or set a type, as a person decided."""
    if is_type(target):
        await client.set_type(full_name, number, issue_type_of(target))
    else:
        await client.add_labels(full_name, number, [target])


async def remove_target(client: GitHubClient, full_name: str, number: int, target: str) -> None:
    """Take a label off; or a type away, whichever the issue has."""
    if not is_type(target):
        await client.remove_label(full_name, number, target)
        return
    try:
        await client.set_type(full_name, number, None)
    except NotFound:  # nothing is there that could be taken away
        return


def _put_down(job: IssueJob, own: Write, target: str) -> Write:
    now = job.context.clock()
    with job.context.store.begin() as work:
        if job.lease is not None:
            job.lease.renew(work)
        writes = work.writes.intend(own.run_id, job.number, [target], now)
        return next(write for write in writes if name_key(write.label) == name_key(target))


def _mark(job: IssueJob, write: Write, state: Literal["left", "written"]) -> None:
    with job.context.store.begin() as work:
        work.writes.mark(write.id, state, job.context.clock(), reason="somebody else set it")
