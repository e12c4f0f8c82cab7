"""Which job a delivery asks for; the worker hands every delivery to `handle`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.configuration.effective import LOOK, current_configuration, forget_configuration, refresh
from bot.conversations import configuration_notice, task_answers
from bot.conversations.commands import obey
from bot.github.errors import Moved
from bot.labelling import writing
from bot.labelling.issue_job import RETRY, IssueJob
from bot.labelling.issue_lease import BUSY_FOR, IssueBusy, issue_lease
from bot.labelling.snapshot import look_again
from bot.labelling.tag_issue import subject_of, tag_issue
from bot.receiving.handler_context import Ending, repository_of
from bot.repositories import presence
from bot.repositories.installations import follow_installation, follow_repository
from bot.repositories.names import ask_name, follow_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.github.client import GitHubClient
    from bot.labelling.writing import Written
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedDelivery, Repository


async def handle(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """Do the delivery's job and end the delivery; errors leave it to the worker to fail it."""
    job = _JOBS.get((claim.event, claim.action)) or _JOBS.get((claim.event, None))
    if job is None:
        return await context.ignore(claim, f"nothing to do for {claim.event} {claim.action or ''}")
    repository = await follow_name(context, claim)
    if repository is not None and (why := await _not_at_home(context, claim, repository)):
        return await context.ignore(claim, why)
    try:
        return await job(context, claim)
    except IssueBusy as busy:
        return await context.postpone(claim, context.clock() + BUSY_FOR, str(busy))
    except Moved:
        if await _is_where_it_was(context, claim):
            return await context.ignore(claim, "the issue is no longer in this repository")
        raise  # the next attempt asks under the new name


async def _not_at_home(
    context: HandlerContext, claim: ClaimedDelivery, repository: Repository
) -> str | None:
    """Why nothing may be done where this happened, or None."""
    if claim.event in ABOUT_PRESENCE or (why := presence.left_because(repository)) is None:
        return None
    if claim.event in _OUR_OWN:  # GitHub did not send it, so it is no sign of life
        return why
    if not presence.speaks_again(repository, claim.received_at):
        return why
    await asyncio.to_thread(_come_back, context, repository)
    return None


def _come_back(context: HandlerContext, repository: Repository) -> None:
    with context.store.begin() as work:
        presence.come_back(work, repository)


async def _is_where_it_was(context: HandlerContext, claim: ClaimedDelivery) -> bool:
    """Whether the repository still has its name, so that it was the issue that moved."""
    repository = await asyncio.to_thread(repository_of, context, claim)
    if repository is None:
        return False
    name = repository.full_name
    await ask_name(context, repository, name)
    client = await context.client(claim, repository)
    if client is None or claim.issue_number is None:
        return False
    present = await client.repository(name)
    return present.id == repository.github_id and present.full_name == name


async def make_way(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """A label arrived: the bot's fallback label has served its purpose, a rival steps aside."""
    subject = await asyncio.to_thread(subject_of, context, claim)
    if subject is None:
        return await context.ignore(claim, "the issue is no longer in this repository")
    client = await context.client(claim, subject.repository)
    if client is None:
        return await context.ignore(claim, "there are no credentials for GitHub")
    configuration = await current_configuration(
        context.store, client, subject.repository, context.clock()
    )
    configuration = configuration.renamed(subject.renames)
    client = client.labelling(subject.issue.target)
    job = IssueJob(context, claim, subject, configuration, client)
    async with issue_lease(context, subject.repository.id, job.number) as lease:
        job, snapshot = await look_again(replace(job, lease=lease), client)
        written = await writing.make_way(job, client, snapshot)
        await asyncio.to_thread(_record, job, written)
    return Ending("done")


async def reread_configuration(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """The file was pushed, or may be read from now on: look at it, everywhere where it holds.

    :raises GitHubError: GitHub could not be asked; nothing is lost, the delivery runs again.
    """
    repository = await asyncio.to_thread(repository_of, context, claim)
    if repository is None:
        return await context.ignore(claim, "the repository is not stored")
    await asyncio.to_thread(forget_configuration, context.store, repository.full_name)
    client = await context.client(claim, repository)
    if client is not None:
        reading = await refresh(context.store, client, repository, context.clock())
        if configuration_notice.is_needed(repository, reading):
            head = claim.payload.get("after") or await _head(client, repository)
            await configuration_notice.show(context, client, repository, reading, str(head))
    return await context.finish(claim)


async def _head(client: GitHubClient, repository: Repository) -> str:
    """The commit whose file is read where no commit is asked for."""
    repository_now = await client.repository(repository.full_name)
    return await client.head(repository.full_name, repository_now.default_branch)


def _record(job: IssueJob, written: Written) -> None:
    now = job.context.clock()
    with job.context.store.begin() as work:
        writing.record(work, job, written, now)
        job.end(work, now)


_JOBS: dict[
    tuple[str, str | None], Callable[[HandlerContext, ClaimedDelivery], Awaitable[Ending]]
] = {
    ("issues", "opened"): tag_issue,
    ("issues", "reopened"): tag_issue,
    ("issues", "edited"): tag_issue,
    ("issues", RETRY): tag_issue,
    ("issues", "labeled"): make_way,
    ("pull_request", "opened"): tag_issue,
    ("pull_request", "reopened"): tag_issue,
    ("pull_request", "edited"): tag_issue,
    ("pull_request", "labeled"): make_way,
    ("discussion", "created"): tag_issue,
    ("discussion", "reopened"): tag_issue,
    ("discussion", "edited"): tag_issue,
    ("discussion", "category_changed"): tag_issue,
    ("discussion", "labeled"): make_way,
    ("issue_comment", "created"): obey,
    (task_answers.EVENT, None): task_answers.tell,
    ("push", None): reread_configuration,
    (LOOK, None): reread_configuration,
    ("installation", None): follow_installation,
    ("installation_repositories", None): follow_installation,
    ("repository", None): follow_repository,
}
_OUR_OWN = frozenset({task_answers.EVENT, LOOK})
ABOUT_PRESENCE = frozenset({"installation", "installation_repositories", "repository"})
"""Events that say where the bot may act, and so are heard wherever they come from."""
