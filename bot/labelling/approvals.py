"""GitHub's own approvals: whether a repository has them, and which labels it holds back.

A repository's automation level (full control, cautious, balanced, full automation) says from which
confidence on a change is applied; what is below it waits for a person, as a suggestion does.
https://docs.github.com/en/copilot/concepts/agents/cloud-agent/about-automation-rationale-and-approvals
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.github.errors import NotFound
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot
    from store.records import Write

ASK_AGAIN_AFTER = timedelta(days=7)
HELD = "the repository's automation level holds it back for approval"
_ANSWERABLE = frozenset({"pending", "approved", "dismissed"})


def are_known_to_lack(job: IssueJob) -> bool:
    """Whether it cannot have them: issues alone do, and not in every repository."""
    since = job.subject.repository.no_suggestions_since
    lacks = since is not None and abs(job.context.clock() - since) < ASK_AGAIN_AFTER
    return lacks or job.subject.issue.target != "issues"


def remember_lack(job: IssueJob) -> None:
    """Put down that the repository has not got them. Blocks."""
    with job.context.store.begin() as work:
        work.repositories.set_no_suggestions_since(job.subject.repository.id, job.context.clock())


async def held_back(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, writes: Iterable[Write]
) -> frozenset[int]:
    """Which of these writes, none of which GitHub has carried out, wait for a person."""
    try:
        suggestions = await client.suggestions(job.full_name, job.number)
    except NotFound:
        return frozenset()
    waiting = {
        snapshot.labels.key_of(suggestion)
        for suggestion in suggestions
        if suggestion.state in _ANSWERABLE
    }
    return frozenset(write.id for write in writes if name_key(write.label) in waiting)
