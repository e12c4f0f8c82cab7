"""Stored issues by number, or which ones are missing and how to get them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.database import Store
    from store.records import StoredIssue


def stored_issues(store: Store, repository: str, numbers: Sequence[int]) -> tuple[StoredIssue, ...]:
    """Issues in the order asked for.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: naming the issues that are not stored.
    """
    with store.read() as work:
        repository_id = work.repositories.get(repository).id
        issues = {number: work.issues.find(repository_id, number) for number in numbers}
    missing = [f"#{number}" for number, issue in issues.items() if issue is None]
    if missing:
        raise CommandRefused(
            f"{repository} has no {', '.join(missing)} in the database; issue-tagger sync "
            f"{repository} brings in what is new from GitHub, issue-tagger tag --file FILE takes "
            "issues from a file"
        )
    return tuple(issue for number in numbers if (issue := issues[number]) is not None)
