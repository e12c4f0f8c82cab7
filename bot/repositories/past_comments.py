"""Sync of past comments: which issues people called duplicates there, and nothing else of them.

Only where the file itself says `advice: {duplicates: measured}`: a repository has many more
comments than issues. Each page is stored together with the place to go on from.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.configuration.advice import DuplicateAdvice
from bot.configuration.effective import current_configuration
from bot.github.resource import KnownPage
from bot.receiving.duplicate_links import hear_past

if TYPE_CHECKING:
    from datetime import datetime

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.github.models import Comment
    from bot.github.resource import Page
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

COMMENTS = "comments"
"""A name in `Repository.cursors`."""


async def read_past_comments(
    store: Store, client: GitHubClient, repository: Repository, now: datetime, progress: Progress
) -> None:
    """Keep which duplicates were named in comments that changed since the last time.

    :raises GitHubError: what was read until then is stored.
    """
    if not asks_for_duplicates(await current_configuration(store, client, repository, now)):
        return
    stored, done = repository.cursors.get(COMMENTS) or {}, 0
    known_pages = {url: KnownPage(**page) for url, page in stored.get("known", {}).items()}
    pages = client.repository_comments(
        repository.full_name, cursor=stored.get("cursor"), known_pages=known_pages
    )
    async for page in pages:
        await asyncio.to_thread(_keep, store, repository, page, now)
        done += len(page.items)
        progress("comments from GitHub", done, 0)


def asks_for_duplicates(configuration: RepositoryConfiguration) -> bool:
    """Whether the file names duplicates as wanted; the default is not enough."""
    advice = configuration.advice
    is_said = "duplicates" in advice.model_fields_set
    return is_said and advice.duplicates is not DuplicateAdvice.OFF


def _keep(store: Store, repository: Repository, page: Page[Comment], now: datetime) -> None:
    cursor: dict[str, Any] = {"cursor": page.next or page.window}
    if page.known and not page.next:
        cursor["known"] = {page.url: asdict(page.known)}
    with store.begin() as work:
        hear_past(work, repository, page.items, now)
        work.repositories.set_cursor(repository.id, COMMENTS, cursor)
