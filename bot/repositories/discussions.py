"""Discussions brought in by a sync, where the repository's file wants these labelled."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.configuration.effective import known_configuration
from bot.github.errors import Forbidden, NotFound
from bot.receiving.deliveries import issue_record
from store.records import UpsertCounts
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.github.client import GitHubClient
    from bot.github.models import Issue
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)

DISCUSSIONS = "discussions"
"""The name in `Repository.cursors`."""
OVERLAP = timedelta(seconds=1)
"""GitHub tells whole seconds: of the last one that was read, more may have changed."""


async def read_discussions(
    store: Store,
    client: GitHubClient,
    repository: Repository,
    numbers_seen: set[int],
    now: datetime,
    progress: Progress = silent,
) -> tuple[UpsertCounts, bool]:
    """Bring in the discussions that changed since the last walk; one that is ended begins anew.

    Where the App may not read them, a line in the log says so, and the rest of the sync goes on.

    :param numbers_seen: where the numbers of what GitHub lists go.
    :returns: what was brought in, and whether all that there are were listed.
    """
    counts = UpsertCounts()
    rules = known_configuration(repository)
    if rules is None or not rules.covers("discussions"):
        return counts, False
    until = (repository.cursors.get(DISCUSSIONS) or {}).get("until")
    since = datetime.fromisoformat(until) if until else None
    newest: datetime | None = None
    try:
        async for page in client.discussions(repository.full_name):
            fresh = [each for each in page.items if _is_fresh(each, since)]
            counts += await asyncio.to_thread(_keep, store, repository.id, fresh, now)
            numbers_seen.update(each.number for each in fresh)
            newest = newest or next((each.updated_at for each in fresh), None)
            progress("discussions from GitHub", len(numbers_seen), 0)
            if len(fresh) < len(page.items):
                break
    except (Forbidden, NotFound) as refused:
        log.warning("discussions cannot be read", extra={"reason": str(refused)})
        return counts, False
    if newest is not None:
        await asyncio.to_thread(_remember, store, repository.id, newest)
    return counts, since is None


def _is_fresh(discussion: Issue, since: datetime | None) -> bool:
    at = discussion.updated_at
    return since is None or at is None or at >= since - OVERLAP


def _keep(
    store: Store, repository_id: int, discussions: Sequence[Issue], now: datetime
) -> UpsertCounts:
    with store.begin() as work:
        records = [issue_record(discussion, now) for discussion in discussions]
        return work.issues.upsert(repository_id, records)


def _remember(store: Store, repository_id: int, until: datetime) -> None:
    with store.begin() as work:
        work.repositories.set_cursor(repository_id, DISCUSSIONS, {"until": until.isoformat()})
