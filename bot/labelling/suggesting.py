"""Puts labels and types before people: as GitHub's own suggestions, else in one edited comment.

Values of fields always stand in the comment: the one request that suggests a value replaces all
values that the issue has, and so could take away what a person set in that moment.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.advising.advice_words import public_lines
from bot.errors import SnapshotOutdated
from bot.github.errors import Forbidden, Gone, Invalid, Moved, NotFound
from bot.github.labels import LabelSuggestion
from bot.github.markdown import code_span
from bot.labelling.approvals import are_known_to_lack, remember_lack
from bot.labelling.label_writes import delete_suggested_of_before, take_back_suggested
from bot.labelling.rationales import confidence, rationale
from bot.labelling.snapshot import with_pending
from bot.receiving.actors import is_own
from bot.receiving.suggestion_outcomes import remember_answers
from store.records.issue_types import is_type, issue_type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.advising.advice import Advice
    from bot.github.client import GitHubClient
    from bot.github.models import Suggestion
    from bot.labelling.issue_job import IssueJob
    from bot.labelling.policy import LabelChoice
    from bot.labelling.snapshot import Snapshot
    from store.records import WriteForm

MARK = "<!-- issue-tagger: suggested labels -->"
"""How the bot finds its own comment again after a crash."""


async def look_at_suggestions(job: IssueJob, client: GitHubClient, snapshot: Snapshot) -> Snapshot:
    """Find out how labels are suggested here, and what people said to earlier suggestions."""
    if job.subject.issue.target == "discussions":  # GitHub has no suggestions there
        return replace(snapshot, form=None, field_form=None)
    comments = job.may_comment and job.configuration.suggestion_comments
    form: WriteForm | None = "comment" if comments else None
    snapshot = replace(snapshot, field_form=form)
    suggestions = None if are_known_to_lack(job) else await _suggestions(job, client)
    if suggestions is None:
        return replace(snapshot, form=form)
    labels = [each for each in suggestions if each.action != "set_type"]
    await delete_suggested_of_before(
        job, client, snapshot, {each.target_id for each in labels if each.state == "pending"}
    )
    await asyncio.to_thread(_remember, job, snapshot, suggestions)
    snapshot_seen = with_pending(
        snapshot,
        pending=_keys(suggestions, "pending", snapshot),
        dismissed=_keys(suggestions, "dismissed", snapshot),
    )
    return replace(snapshot_seen, form="suggestion")


async def suggest(
    job: IssueJob,
    client: GitHubClient,
    snapshot: Snapshot,
    choices: Sequence[LabelChoice],
    form: WriteForm,
) -> tuple[str, str]:
    """Suggest the labels in one of the forms that the look found.

    :returns: GitHub's id of the comment, "" for suggestions of GitHub's own; and why GitHub refused
        it for good, "" where it did not.
    :raises LookAgain: the issue or a label is another by now, or they are suggested otherwise here.
    """
    try:
        if form == "suggestion":
            await _suggest(job, client, snapshot, choices)
            return "", ""
        return await _comment(job, client, snapshot, choices), ""
    except Gone:
        return "", "the issue is gone"
    except (Moved, NotFound, Invalid) as error:
        if not snapshot.again:
            raise SnapshotOutdated("it is to be suggested otherwise, or elsewhere") from error
        return "", f"GitHub answered {error.status}"
    except Forbidden as error:
        if not is_locked(error):
            raise
        return "", "the conversation is locked"


def is_locked(error: Forbidden) -> bool:
    """Whether GitHub refuses a comment because the conversation is locked."""
    return "lock" in error.message.casefold()


async def _suggest(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, choices: Sequence[LabelChoice]
) -> None:
    of_labels = [choice for choice in choices if not is_type(choice.label)]
    if of_labels:
        await _suggest_labels(job, client, snapshot, of_labels)
    for choice in choices:
        if is_type(choice.label):
            suggestion = replace(_suggestion(choice, job.advice), name=issue_type_of(choice.label))
            await client.suggest_type(job.full_name, job.number, suggestion)


async def _suggest_labels(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, choices: Sequence[LabelChoice]
) -> None:
    suggestions = [_suggestion(choice, job.advice) for choice in choices]
    try:
        await client.suggest_labels(job.full_name, job.number, suggestions)
    except Invalid:
        await asyncio.to_thread(remember_lack, job)
        raise
    await take_back_suggested(job, client, snapshot, {choice.key for choice in choices})


def comment_body(
    choices: Iterable[LabelChoice], advised: Iterable[str] = (), kind: str = "issue"
) -> str:
    """The comment's Markdown; a label's name stands in a code span, where nothing is markup.

    :param advised: list items on what else there is to say.
    """
    lines = [f"- {code_span(choice.label)} ({choice.decision.score:.0%})" for choice in choices]
    items = list(advised)
    first = f"Labels that may fit this {kind}, for a maintainer to decide:"
    beside = ["", "Beside its labels:", "", *items] if items else []
    return "\n".join([MARK, first, "", *lines, *beside])


def _suggestion(choice: LabelChoice, advice: Advice) -> LabelSuggestion:
    words = rationale(choice.decision)
    if advice.duplicate:
        words += f"; possibly a duplicate of #{advice.duplicate.number}"
    return LabelSuggestion(choice.label, words, confidence(choice))


async def _comment(
    job: IssueJob, client: GitHubClient, snapshot: Snapshot, choices: Sequence[LabelChoice]
) -> str:
    page = snapshot.issue.html_url if snapshot.issue else ""
    mention = job.configuration.advice.mention_owners
    kind = "pull request" if job.subject.issue.is_pull_request else "issue"
    body = comment_body(choices, public_lines(job.advice, page, mention=mention), kind)
    comment_id = job.subject.issue.suggestion_comment_id or await _own_comment(
        job, client, snapshot
    )
    if comment_id is not None:
        try:
            await client.edit_comment(job.full_name, comment_id, body)
        except NotFound:  # somebody deleted it: they do not want to read this here
            return str(comment_id)
        return str(comment_id)
    return str((await client.comment(job.full_name, job.number, body)).id)


async def _own_comment(job: IssueJob, client: GitHubClient, snapshot: Snapshot) -> int | None:
    """The comment that was made before a crash, if one was."""
    for comment in await client.comments(job.full_name, job.number):
        if comment.body.startswith(MARK) and is_own(comment.user, snapshot.own_login):
            return comment.id
    return None


async def _suggestions(job: IssueJob, client: GitHubClient) -> tuple[Suggestion, ...] | None:
    try:
        return await client.suggestions(job.full_name, job.number)
    except NotFound:
        await asyncio.to_thread(remember_lack, job)
        return None


def _keys(suggestions: Iterable[Suggestion], state: str, snapshot: Snapshot) -> frozenset[str]:
    """Folded names of what was suggested and is in this state."""
    keys = (snapshot.labels.key_of(each) for each in suggestions if each.state == state)
    return frozenset(key for key in keys if key is not None)


def _remember(job: IssueJob, snapshot: Snapshot, suggestions: Sequence[Suggestion]) -> None:
    now = job.context.clock()
    with job.context.store.begin() as work:
        remember_answers(
            work, job.subject.repository.id, job.number, suggestions, snapshot.labels, now
        )
