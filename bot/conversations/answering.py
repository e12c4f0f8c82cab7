"""The bot's one answer on an issue: a comment that is edited in place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.github.errors import Gone, Invalid, NotFound
from bot.receiving.actors import is_own
from store.records import BEING_MADE

if TYPE_CHECKING:
    from bot.github.client import GitHubClient
    from bot.receiving.handler_context import HandlerContext
    from store.records import Repository, StoredIssue

MARK = "<!-- issue-tagger: answer -->"
"""How the bot finds its own comment again after a crash."""


async def answer(
    context: HandlerContext,
    client: GitHubClient,
    repository: Repository,
    issue: StoredIssue,
    text: str,
) -> None:
    """Say something on an issue, in the place of what was said there before.

    :param text: Markdown; whatever came from people must be in code spans.
    :raises Gone, NotFound: the issue is gone.
    :raises Moved: it is in another repository, or the repository has another name.
    :raises GitHubError: GitHub could not be asked; asking again makes no second comment.
    """
    body, name = f"{MARK}\n{text}", repository.full_name
    comment_id = await _standing(context, client, name, issue)
    if comment_id:
        try:
            await client.edit_comment(name, comment_id, body)
        except NotFound:  # somebody deleted it, and now somebody asks again
            comment_id = 0
    if not comment_id:
        await asyncio.to_thread(_keep, context, issue, BEING_MADE)
        comment_id = (await client.comment(name, issue.number, body)).id
    await asyncio.to_thread(_keep, context, issue, comment_id)


async def amend(
    context: HandlerContext,
    client: GitHubClient,
    repository: Repository,
    issue: StoredIssue,
    line: str,
) -> bool:
    """Put a line into the answer that stands, in place of the one with the same `line_mark`.

    Where there is no such line it comes last: the answer may be about something else by now.

    :return: False where somebody has deleted the answer, or GitHub refuses it; nothing is said.
    :raises GitHubError: GitHub could not be asked; asking again says nothing twice.
    """
    name = repository.full_name
    try:
        comment_id = await _standing(context, client, name, issue)
        comments = await client.comments(name, issue.number) if comment_id else ()
        body = next((comment.body for comment in comments if comment.id == comment_id), None)
        if body is None:
            return False
        changed = amended(body, line)
        if changed != body:
            await client.edit_comment(name, comment_id, changed)
    except (Gone, NotFound, Invalid):  # the comment, or the issue with it; or it takes no more
        return False
    return True


def line_mark(name: str) -> str:
    """How a line of the answer is found again; it ends with this.

    At its beginning it would make the line HTML, in which Markdown means nothing
    (https://spec.commonmark.org/0.31.2/#html-blocks).
    """
    return f" <!-- issue-tagger: {name} -->"


def amended(body: str, line: str) -> str:
    """The body with the line in place of the one with the same mark, or after all others."""
    mark = line[line.rindex(" <!-- ") :]
    lines = body.split("\n")
    places = [place for place, old in enumerate(lines) if old.rstrip().endswith(mark)]
    if not places:
        return f"{body.rstrip()}\n\n{line}"
    lines[places[0]] = line
    return "\n".join(lines)


async def _standing(
    context: HandlerContext, client: GitHubClient, name: str, issue: StoredIssue
) -> int:
    """The id of the bot's comment, 0 where there is none."""
    if issue.answer_comment_id != BEING_MADE:
        return issue.answer_comment_id or 0
    login = await context.own_login()
    generator = (
        comment.id
        for comment in await client.comments(name, issue.number)
        if comment.body.startswith(MARK) and is_own(comment.user, login)
    )
    return next(generator, 0)


def _keep(context: HandlerContext, issue: StoredIssue, comment_id: int) -> None:
    with context.store.begin() as work:
        work.issues.set_answer_comment(issue.id, comment_id)
