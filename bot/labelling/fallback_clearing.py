"""Takes somebody else's fallback label off where the file says so and labels were just set."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.labelling.label_writes import take_off
from store.engine.text import name_key

if TYPE_CHECKING:
    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from store.records import Write

WHY = "the issue is labelled, and the file says that it goes"


async def clear_fallback(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, run_id: int
) -> Write | None:
    """Take it off beside the issue's first labels; returns the write that is undone by it.

    A backfill leaves it: its `undo` could not put it back.

    :raises LookAgain: the issue is not where it was.
    """
    if job.run_id is not None or not _is_to_go(job, snapshot):
        return None
    write = await asyncio.to_thread(_intend, job, snapshot, run_id)
    await take_off(job, client, write, WHY)
    return write


def _is_to_go(job: IssueJob, snapshot: Snapshot) -> bool:
    """Whether it stands there since before the first labels, and nobody has ever taken it off."""
    key = name_key(job.configuration.fallback_label or "")
    if not key or not job.configuration.clear_fallback_label:
        return False
    before = [write for write in snapshot.writes if write.run_id not in snapshot.own_runs]
    ours = any(name_key(write.label) == key for write in before if write.form == "label")
    labelled = any(write.form == "label" and write.state == "written" for write in before)
    on_issue = key in snapshot.situation.on_issue and key not in snapshot.acts.ever_removed
    return on_issue and not ours and not labelled


def _intend(job: IssueJob, snapshot: Snapshot, run_id: int) -> Write:
    """Put down that it is the bot's doing: its webhook would pass for a person's otherwise."""
    label = job.configuration.fallback_label or ""
    present = snapshot.labels.names.get(name_key(label), label)
    with job.context.store.begin() as work:
        (write,) = work.writes.intend(run_id, job.number, [present], job.context.clock())
    return write
