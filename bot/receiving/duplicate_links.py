"""What people call a duplicate in a comment is kept, by its numbers alone; the comment is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.duplicates.links import stated_originals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.github.events import CommentFact
    from bot.github.models import Comment
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

MAY_SAY = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Associations with the repository of those whose word counts; strangers may write what they like,
and so may bots."""


def hear(work: UnitOfWork, repository: Repository, fact: CommentFact, now: datetime) -> None:
    """Keep which originals a comment names, where its author may say so; of a stored issue."""
    if fact.action not in {"created", "edited"} or fact.issue.is_pull_request or fact.by_bot:
        return
    if fact.author_association not in MAY_SAY:
        return
    originals = stated_originals(fact.body, repository.full_name)
    if originals:
        work.advice.link(repository.id, fact.issue.number, originals, now)


def hear_past(
    work: UnitOfWork, repository: Repository, comments: Iterable[Comment], now: datetime
) -> None:
    """The same of comments that were written while nobody listened."""
    for comment in comments:
        if comment.author_association not in MAY_SAY or _is_by_bot(comment):
            continue
        originals = stated_originals(comment.body, repository.full_name)
        number = comment.issue_number
        if not originals or number is None:
            continue
        issue = work.issues.find(repository.id, number)
        if issue is not None and not issue.is_pull_request:
            work.advice.link(repository.id, number, originals, now)


def _is_by_bot(comment: Comment) -> bool:
    return comment.user is not None and comment.user.is_bot
