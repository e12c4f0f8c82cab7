"""Puts labels before people: as GitHub's own suggestions, else in one comment edited in place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import LookAgain
from bot.github.errors import Forbidden, Gone, Invalid, Moved, NotFound
from bot.github.labels import LabelSuggestion
from bot.markdown import code_span
from bot.use_cases.actors import is_own
from bot.use_cases.answers import remember_answers
from bot.use_cases.label_writes import delete_created
from bot.use_cases.look import with_pending
from bot.use_cases.repository_labels import labels_now
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.github.client import GitHubClient
    from bot.github.labels import Confidence
    from bot.github.models import Suggestion
    from bot.use_cases.job import Job
    from bot.use_cases.look import Look
    from bot.use_cases.policy import Choice
    from store.records import WriteForm

KEPT_AS = "no_suggestions_since"
"""In `Repository.memory`: since when the repository is known to lack the feature."""
ASK_AGAIN_AFTER = timedelta(days=7)
COMMENT_KEPT_AS = "suggestion_comment"
MARK = "<!-- issue-tagger: suggested labels -->"
"""How the bot finds its own comment again after a crash."""


async def look_at_suggestions(job: Job, client: GitHubClient, look: Look) -> Look:
    """Find out how labels are suggested here, and what people said to earlier suggestions."""
    found = None if _known_to_lack_them(job) else await _suggestions(job, client)
    if found is None:
        comments = job.may_comment and job.configuration.suggestion_comments
        form: WriteForm | None = "comment" if comments else None
        return replace(look, form=form)
    names = look.labels.ids
    dismissed = [one for one in found if one.state == "dismissed" and one.target_id in names]
    await asyncio.to_thread(_remember, job, look, found)
    looked = with_pending(
        look,
        pending=frozenset(names[one.target_id] for one in _pending(found, look)),  # type: ignore[index] # _pending leaves out None
        dismissed=frozenset(names[one.target_id] for one in dismissed),  # type: ignore[index] # likewise
    )
    return replace(looked, form="suggestion")


async def suggest(
    job: Job, client: GitHubClient, look: Look, choices: Sequence[Choice]
) -> tuple[str, str]:
    """Suggest the labels in the form that the look found.

    :returns: GitHub's id of the comment, "" for suggestions of GitHub's own; and why GitHub refused
        it for good, "" where it did not.
    :raises LookAgain: the issue or a label is another by now, or they are suggested otherwise here.
    """
    try:
        if look.form == "suggestion":
            await _suggest(job, client, look, choices)
            return "", ""
        return await _comment(job, client, look, choices), ""
    except Gone:
        return "", "the issue is gone"
    except (Moved, NotFound, Invalid) as error:
        if not look.again:
            raise LookAgain("it is to be suggested otherwise, or elsewhere") from error
        return "", f"GitHub answered {error.status}"
    except Forbidden as error:
        if not is_locked(error):
            raise
        return "", "the conversation is locked"


def is_locked(error: Forbidden) -> bool:
    """Whether GitHub refuses a comment because the conversation is locked."""
    return "lock" in error.message.casefold()


async def _suggest(job: Job, client: GitHubClient, look: Look, choices: Sequence[Choice]) -> None:
    suggestions = [_suggestion(choice) for choice in choices]
    try:
        await client.suggest_labels(job.full_name, job.number, suggestions)
    except Invalid:
        await asyncio.to_thread(_remember_lack, job)
        raise
    # Suggesting a label that was renamed or deleted since the look may have created it.
    keys = {choice.key for choice in choices}
    present = await labels_now(job.desk.store, client, job.subject.repository, job.desk.clock())
    if all(label_id in look.labels.ids for label_id, key in present.ids.items() if key in keys):
        return
    mine = [one for one in await client.labels(job.full_name) if name_key(one.name) in keys]
    if await delete_created(job, client, look, mine):
        raise LookAgain("a label was renamed or deleted meanwhile")


def comment_body(choices: Iterable[Choice]) -> str:
    """The comment's Markdown; a label's name stands in a code span, where nothing is markup."""
    lines = [f"- {code_span(one.label)} ({one.decision.score:.0%})" for one in choices]
    return "\n".join(
        [MARK, "Labels that may fit this issue, for a maintainer to decide:", "", *lines]
    )


def _suggestion(choice: Choice) -> LabelSuggestion:
    decision = choice.decision
    nearest = [f"#{one.number}" for one in decision.neighbours if decision.name in one.labels][:3]
    near = f"; like {', '.join(nearest)}" if nearest else ""
    rationale = f"{decision.decided_by} says {decision.score:.0%}, cut {decision.cut:.0%}{near}"
    confidence: Confidence = (
        "high" if decision.score >= 0.8 else "medium" if decision.score >= 0.5 else "low"
    )
    return LabelSuggestion(choice.label, rationale, confidence)


async def _comment(job: Job, client: GitHubClient, look: Look, choices: Sequence[Choice]) -> str:
    body = comment_body(choices)
    comment_id = job.subject.issue.memory.get(COMMENT_KEPT_AS) or await _own_comment(
        job, client, look
    )
    if comment_id is not None:
        try:
            await client.edit_comment(job.full_name, comment_id, body)
        except NotFound:  # somebody deleted it: they do not want to read this here
            return str(comment_id)
        return str(comment_id)
    return str((await client.comment(job.full_name, job.number, body)).id)


async def _own_comment(job: Job, client: GitHubClient, look: Look) -> int | None:
    """The comment that was made before a crash, if one was."""
    for comment in await client.comments(job.full_name, job.number):
        if comment.body.startswith(MARK) and is_own(comment.user, look.own_login):
            return comment.id
    return None


def _known_to_lack_them(job: Job) -> bool:
    since = job.subject.repository.memory.get(KEPT_AS)
    if since is None:
        return False
    return abs(job.desk.clock() - datetime.fromisoformat(since)) < ASK_AGAIN_AFTER


async def _suggestions(job: Job, client: GitHubClient) -> tuple[Suggestion, ...] | None:
    try:
        return await client.suggestions(job.full_name, job.number)
    except NotFound:
        await asyncio.to_thread(_remember_lack, job)
        return None


def _remember_lack(job: Job) -> None:
    with job.desk.store.begin() as work:
        since = job.desk.clock().isoformat()
        work.repositories.remember(job.subject.repository.id, KEPT_AS, since)


def _pending(found: Iterable[Suggestion], look: Look) -> list[Suggestion]:
    return [one for one in found if one.state == "pending" and one.target_id in look.labels.ids]


def _remember(job: Job, look: Look, found: Sequence[Suggestion]) -> None:
    now = job.desk.clock()
    with job.desk.store.begin() as work:
        remember_answers(work, job.subject.repository.id, job.number, found, look.labels, now)
