"""Whether the bot may still act in a repository, as GitHub's webhooks have told.

What was learned there stays for a while (`KEEP_LEFT_DAYS`): whoever installs the App again finds it
as it was. Where it is suspended or archived it stays for good.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from store.records import Repository
    from store.unit_of_work import UnitOfWork

UNINSTALLED = "the App was uninstalled"
SUSPENDED = "the App was suspended"
TAKEN = "it was taken from the App"
DELETED = "the repository was deleted"
ARCHIVED = "it is archived"
REASONS = frozenset({UNINSTALLED, SUSPENDED, TAKEN, DELETED, ARCHIVED})
FOR_GOOD = frozenset({UNINSTALLED, TAKEN, DELETED})
EVIDENCE_AFTER = timedelta(hours=1)
"""GitHub sends webhooks only from where the App is installed: one that comes so long after the
goodbye says that the news of the return was lost."""


def left_because(repository: Repository) -> str | None:
    """Why nothing is done in this repository any more; None: the bot is at home there."""
    return repository.left_because


def speaks_again(repository: Repository, received_at: datetime) -> bool:
    """Whether a delivery received then shows that a repository once left is back."""
    left_at = repository.left_at
    return left_at is not None and received_at > left_at + EVIDENCE_AFTER


def is_left_since(repository: Repository, before: datetime) -> bool:
    """Whether the repository was left for good before this moment."""
    left_at = repository.left_at
    return left_at is not None and repository.left_because in FOR_GOOD and left_at < before


def leave(work: UnitOfWork, repository: Repository, why: str, now: datetime) -> None:
    """Do nothing in this repository from now on."""
    work.repositories.leave(repository.id, why, now)


def come_back(work: UnitOfWork, repository: Repository) -> None:
    """Act there again."""
    if repository.left_at is not None:
        work.repositories.come_back(repository.id)
