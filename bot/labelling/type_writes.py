"""Sets an issue's native type and takes it away, where a label would be added and taken off.

An issue has one type, and GitHub has no conditional write: what somebody else sets between the look
and our write is replaced by it. `conflict_resolution` looks afterwards and puts theirs back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Literal

from bot.errors import SnapshotOutdated
from bot.github.errors import Gone, Invalid, Moved, NotFound
from store.engine.text import name_key
from store.records.issue_types import is_type, issue_type_of

if TYPE_CHECKING:
    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from store.records import Write

log = logging.getLogger(__name__)


async def set_type(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, write: Write
) -> dict[int, str]:
    """Set the type of a write.

    :returns: by write, why GitHub refused it for good.
    :raises SnapshotOutdated: the issue is another by now.
    """
    wanted = issue_type_of(write.label)
    try:
        issue = await client.set_type(job.full_name, job.number, wanted)
    except Gone:
        return {write.id: "the issue is gone"}
    except (Moved, NotFound) as error:
        if not snapshot.again:
            raise SnapshotOutdated("the issue is not where it was") from error
        return {write.id: f"GitHub answered {error.status}"}
    except Invalid as error:
        return {write.id: f"GitHub refused it: {error.message}"}
    if not issue.type:
        return {write.id: "GitHub left it out: setting a type takes push access"}
    return {}


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
