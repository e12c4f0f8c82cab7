"""Suggests the one person whom an issue may be for as its assignee, once, and assigns nobody."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.configuration import Mode
from bot.github.errors import GitHubError, NotFound
from bot.labelling.approvals import are_known_to_lack, remember_lack
from store.engine.text import name_key

if TYPE_CHECKING:
    from bot.advising.advice import Advice
    from bot.github.client import GitHubClient
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.snapshot import Snapshot

log = logging.getLogger(__name__)

_MODES = frozenset({Mode.SUGGEST, Mode.APPLY})


def may_suggest_assignee(job: IssueJob) -> bool:
    """Whether there is somebody to suggest, as far as is known without asking GitHub."""
    of_mode = job.configuration.mode in _MODES
    wanted = job.configuration.advice.assignee and bool(job.advice.assignee)
    return of_mode and wanted and not are_known_to_lack(job)


async def suggest_assignee(job: IssueJob, client: GitHubClient, snapshot: Snapshot) -> None:
    """Put the person before people, where none has had a say in it.

    A suggestion that is there already, also one that was dismissed, stands for all time. This is
    an extra: where GitHub refuses, labels are given all the same, and the log says why.
    """
    if not may_suggest_assignee(job) or _is_settled(job, snapshot):
        return
    try:
        if not await client.suggested_assignees(job.full_name, job.number):
            login, why = job.advice.assignee, assignee_rationale(job.advice)
            await client.suggest_assignee(job.full_name, job.number, login, why)
    except NotFound:
        await asyncio.to_thread(remember_lack, job)
    except GitHubError:
        log.warning("no assignee is suggested", exc_info=True, extra={"issue": job.number})


def assignee_rationale(advice: Advice) -> str:
    """Why this person, by the repository's own files; nothing of the issue's text."""
    of_labels = [f"routes: {each.label}" for each in advice.owners]
    of_paths = [f"CODEOWNERS: {each.pattern}" for each in advice.path_owners]
    return "; ".join([*of_labels, *of_paths])


def _is_settled(job: IssueJob, snapshot: Snapshot) -> bool:
    """Whether the issue wants no suggestion: people have chosen, or it is to be left alone."""
    issue, situation = snapshot.issue, snapshot.situation
    if issue is None or issue.assignees or snapshot.was_assigned or situation.closed_because:
        return True
    if issue.user and name_key(issue.user.login) == name_key(job.advice.assignee):
        return True
    return any(name_key(each.label) in situation.removed for each in job.advice.owners)
