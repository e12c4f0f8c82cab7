"""Which job a delivery asks for; the worker hands every delivery to `handle`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.github.errors import Moved
from bot.use_cases import configuration_notice, presence, task_answers, writing
from bot.use_cases.commands import obey
from bot.use_cases.configuration import (
    LOOK,
    current_configuration,
    forget_configuration,
    refresh,
)
from bot.use_cases.desk import Ending, repository_of
from bot.use_cases.installations import follow_installation, follow_repository
from bot.use_cases.issue_lease import BUSY_FOR, IssueBusy, issue_lease
from bot.use_cases.job import RETRY, Job
from bot.use_cases.look import look_again
from bot.use_cases.names import ask_name, follow_name
from bot.use_cases.tag_issue import subject_of, tag_issue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.github.client import GitHubClient
    from bot.use_cases.desk import Desk
    from bot.use_cases.writing import Written
    from store.records import ClaimedDelivery, Repository


async def handle(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do the delivery's job and end the delivery; errors leave it to the worker to fail it."""
    job = _JOBS.get((claim.event, claim.action)) or _JOBS.get((claim.event, None))
    if job is None:
        return await desk.ignore(claim, f"nothing to do for {claim.event} {claim.action or ''}")
    await follow_name(desk, claim)
    if why := await asyncio.to_thread(_not_at_home, desk, claim):
        return await desk.ignore(claim, why)
    try:
        return await job(desk, claim)
    except IssueBusy as busy:
        return await desk.postpone(claim, desk.clock() + BUSY_FOR, str(busy))
    except Moved:
        if await _is_where_it_was(desk, claim):
            return await desk.ignore(claim, "the issue is no longer in this repository")
        raise  # the next attempt asks under the new name


def _not_at_home(desk: Desk, claim: ClaimedDelivery) -> str | None:
    """Why nothing may be done where this happened, or None."""
    if claim.event in ABOUT_PRESENCE:
        return None
    repository = repository_of(desk, claim)
    if repository is None or (why := presence.left_because(repository)) is None:
        return None
    if claim.event in _OUR_OWN:  # GitHub did not send it, so it is no sign of life
        return why
    if not presence.speaks_again(repository, claim.received_at):
        return why
    with desk.store.begin() as work:
        presence.come_back(work, repository)
    return None


async def _is_where_it_was(desk: Desk, claim: ClaimedDelivery) -> bool:
    """Whether the repository still has its name, so that it was the issue that moved."""
    repository = await asyncio.to_thread(repository_of, desk, claim)
    if repository is None:
        return False
    name = repository.full_name
    await ask_name(desk, repository, name)
    client = await desk.client(claim, repository)
    if client is None or claim.issue_number is None:
        return False
    present = await client.repository(name)
    return present.id == repository.github_id and present.full_name == name


async def make_way(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """A label arrived: the bot's fallback label has served its purpose, a rival steps aside."""
    subject = await asyncio.to_thread(subject_of, desk, claim)
    if subject is None:
        return await desk.ignore(claim, "the issue is no longer in this repository")
    client = await desk.client(claim, subject.repository)
    if client is None:
        return await desk.ignore(claim, "there are no credentials for GitHub")
    configuration = await current_configuration(
        desk.store, client, subject.repository, desk.clock()
    )
    configuration = configuration.renamed(subject.renames)
    job = Job(desk, claim, subject, configuration, client)
    async with issue_lease(desk, subject.repository.id, job.number) as lease:
        job, look = await look_again(replace(job, lease=lease), client)
        written = await writing.make_way(job, client, look)
        await asyncio.to_thread(_record, job, written)
    return Ending("done")


async def reread_configuration(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """The file was pushed, or may be read from now on: look at it, everywhere where it holds.

    :raises GitHubError: GitHub could not be asked; nothing is lost, the delivery runs again.
    """
    repository = await asyncio.to_thread(repository_of, desk, claim)
    if repository is None:
        return await desk.ignore(claim, "the repository is not stored")
    await asyncio.to_thread(forget_configuration, desk.store, repository.full_name)
    client = await desk.client(claim, repository)
    if client is not None:
        reading = await refresh(desk.store, client, repository, desk.clock())
        if configuration_notice.is_needed(repository, reading):
            head = claim.payload.get("after") or await _head(client, repository)
            await configuration_notice.show(desk, client, repository, reading, str(head))
    return await desk.finish(claim)


async def _head(client: GitHubClient, repository: Repository) -> str:
    """The commit whose file is read where no commit is asked for."""
    found = await client.repository(repository.full_name)
    return await client.head(repository.full_name, found.default_branch)


def _record(job: Job, written: Written) -> None:
    now = job.desk.clock()
    with job.desk.store.begin() as work:
        writing.record(work, job, written, now)
        job.end(work, now)


_JOBS: dict[tuple[str, str | None], Callable[[Desk, ClaimedDelivery], Awaitable[Ending]]] = {
    ("issues", "opened"): tag_issue,
    ("issues", "reopened"): tag_issue,
    ("issues", "edited"): tag_issue,
    ("issues", RETRY): tag_issue,
    ("issues", "labeled"): make_way,
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
