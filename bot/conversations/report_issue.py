"""Puts the report into one issue of its repository, edited in place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.github.errors import Gone, NotFound
from bot.receiving.actors import is_own
from store.records import BEING_MADE

if TYPE_CHECKING:
    from bot.github.client import GitHubClient
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository

TITLE = "issue-tagger: how labels do"
MARK = "<!-- issue-tagger: report -->"
"""How the bot finds its own issue again after a crash."""
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""


async def show(
    context: HandlerContext, client: GitHubClient, repository: Repository, text: str
) -> int:
    """Edit the issue, or make it; returns its number.

    :raises GitHubError: GitHub could not be asked, or the bot may not write there.
    """
    name = repository.full_name
    body = f"{MARK}\n{text}"
    if len(body) > LONGEST:
        body = f"{body[:LONGEST].rsplit(chr(10), 1)[0]}\n\n… `issue-tagger report` shows all of it."
    number = await _standing(context, client, repository)
    if number:
        try:
            await client.edit_issue(name, number, body=body)
        except (Gone, NotFound):
            number = 0
    if not number:
        await asyncio.to_thread(_keep, context, repository, BEING_MADE)
        number = (await client.create_issue(name, TITLE, body)).number
    await asyncio.to_thread(_keep, context, repository, number)
    return number


async def _standing(context: HandlerContext, client: GitHubClient, repository: Repository) -> int:
    """The number of the bot's issue, 0 where there is none."""
    if repository.report_issue != BEING_MADE:
        return repository.report_issue or 0
    login = await context.own_login()
    async for page in client.issues(repository.full_name, state="open"):
        for issue in page.items:
            if issue.body.startswith(MARK) and is_own(issue.user, login):
                return issue.number
    return 0


def _keep(context: HandlerContext, repository: Repository, number: int) -> None:
    with context.store.begin() as work:
        work.repositories.set_report_issue(repository.id, number)
