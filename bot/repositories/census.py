"""Census: issues that GitHub has no longer, deleted or transferred, are forgotten here too.

GitHub lists nothing of what is gone, so whatever a complete list lacks is asked for one by one: a
list that was cut short, or rights that were lost, must not empty the store.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.github.errors import Gone, NotFound
from bot.receiving.deleted_issues import forget_if_gone

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Issue
    from store.database import Store
    from store.records import Repository, TargetKind
    from tagger.domain.strategy import Progress


async def forget_gone(
    store: Store,
    client: GitHubClient,
    repository: Repository,
    numbers_seen: Collection[int],
    progress: Progress,
    now: datetime,
) -> int:
    """Forget stored issues that are not on GitHub any more; returns how many.

    Each is forgotten as soon as it is known to be gone, so a limit in the middle loses nothing.

    :param seen: numbers that GitHub has just listed.
    """
    with store.read() as work:
        unseen = [
            number for number in work.issues.numbers(repository.id) if number not in numbers_seen
        ]
        discussions = work.issues.discussions(repository.id)
    forgotten = 0
    for done, number in enumerate(unseen, 1):
        target: TargetKind = "discussions" if number in discussions else "issues"
        forgotten += await _is_forgotten(store, client, repository, number, now, target)
        progress("issues that GitHub does not list", done, len(unseen))
    return forgotten


async def _is_forgotten(
    store: Store,
    client: GitHubClient,
    repository: Repository,
    number: int,
    now: datetime,
    target: TargetKind,
) -> bool:
    """Forget an issue if it is gone; for good, unless it lives on in another repository."""
    name = repository.full_name
    try:
        issue = await client.labelling(target).issue(name, number)
    except (NotFound, Gone):
        return await forget_if_gone(store, client, repository, number, now, target=target)
    if not lives_elsewhere(issue, name, number):
        return False
    await asyncio.to_thread(_forget, store, repository.id, number)
    return True


def lives_elsewhere(issue: Issue, full_name: str, number: int) -> bool:
    """Whether a redirect led to an issue of another repository, or of another number."""
    here, there = f"/repos/{full_name}".casefold(), issue.repository_url.casefold()
    return issue.number != number or bool(there and not there.endswith(here))


def _forget(store: Store, repository_id: int, number: int) -> None:
    with store.begin() as work:
        work.issues.forget(repository_id, number)
