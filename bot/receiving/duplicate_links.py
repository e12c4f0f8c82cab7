"""What people call a duplicate in a comment is kept, by its numbers alone; the comment is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.duplicates.links import stated_originals

if TYPE_CHECKING:
    from datetime import datetime

    from bot.github.events import CommentFact
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
