"""Deliveries that GitHub could not hand over: fetched from its record and taken in late.

GitHub does not try again by itself and keeps what it sent for three days
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries). Each is kept
under its own id, so that one which arrives twice, or once more later, counts once.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.github.errors import NotFound
from bot.github.resource import KnownPage
from bot.receiving.deliveries import keep, understand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.github.client import GitHubClient
    from bot.github.models import HookDelivery
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

DELIVERIES = "deliveries"
"""The name in `Repository.cursors`."""
KEPT_FOR = timedelta(days=3)
"""How long GitHub can tell what it sent."""
OVERLAP = timedelta(hours=1)
"""Looked at again: an attempt shows only once it has ended, and clocks differ."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was made of failed deliveries.

    :ivar taken_in: fetched and put into the inbox.
    :ivar asked_again: GitHub was asked to deliver them once more.
    """

    taken_in: int = 0
    asked_again: int = 0


@dataclass(frozen=True, slots=True)
class _ListPosition:
    """How far the list of failures was looked through.

    :ivar until: when the last look began that saw all to its end.
    :ivar known: the first page with its ETag, of that look.
    """

    until: datetime
    known: Mapping[str, KnownPage] = field(default_factory=dict)

    @classmethod
    def of(cls, repository: Repository, now: datetime) -> _ListPosition:
        stored = repository.cursors.get(DELIVERIES)
        if not stored:
            return cls(now - KEPT_FOR)
        known_pages = {url: KnownPage(**page) for url, page in stored["known"].items()}
        return cls(datetime.fromisoformat(stored["until"]), known_pages)

    def as_json(self) -> dict[str, Any]:
        pages = {url: asdict(page) for url, page in self.known.items()}
        return {"until": self.until.isoformat(), "known": pages}


async def recover(
    store: Store,
    app: GitHubClient,
    repository: Repository,
    own_login: str | None,
    *,
    now: datetime,
    progress: Progress,
) -> Recovered:
    """Take in the repository's failed deliveries, and the App's that concern no repository.

    The oldest comes first: what follows may build on it. Where it is ended in the middle, the
    next call goes on: what is in the inbox is not fetched again.

    :param app: speaks as the App itself.
    :raises GitHubError: GitHub refuses, or asks to come back later.
    """
    place = _ListPosition.of(repository, now)
    failed, known_pages = await _failed(app, repository, place)
    missed = [
        delivery for delivery in failed if not await asyncio.to_thread(_has, store, delivery.guid)
    ]
    taken_in = 0
    for done, delivery in enumerate(reversed(missed), 1):
        taken_in += await _take_in(store, app, delivery, own_login, now)
        progress("failed deliveries", done, len(missed))
    await asyncio.to_thread(_keep_place, store, repository.id, _ListPosition(now, known_pages))
    return Recovered(taken_in, len(missed) - taken_in)


async def _failed(
    app: GitHubClient, repository: Repository, place: _ListPosition
) -> tuple[list[HookDelivery], Mapping[str, KnownPage]]:
    """Failures that concern us, newest first, each once, and the first page as last seen."""
    floor = place.until - OVERLAP
    deliveries: dict[str, HookDelivery] = {}
    known_pages: Mapping[str, KnownPage] | None = None
    async for page in app.hook_deliveries(status="failure", known_pages=place.known):
        if page.unchanged:
            return [], place.known
        if known_pages is None:
            known_pages = {page.url: page.known} if page.known else {}
        for delivery in page.items:
            if delivery.repository_id in {None, repository.github_id}:
                deliveries.setdefault(delivery.guid, delivery)
        if any(delivery.delivered_at and delivery.delivered_at < floor for delivery in page.items):
            break
    return list(deliveries.values()), known_pages or {}


async def _take_in(
    store: Store, app: GitHubClient, failed: HookDelivery, own_login: str | None, now: datetime
) -> bool:
    """False: GitHub does not tell the payload any more and was asked to send it again."""
    try:
        payload = (await app.hook_delivery(failed.id)).request.payload
        if payload is None:
            await app.redeliver(failed.id)
            return False
    except NotFound:  # its three days are over
        return False
    received = understand(failed.guid, failed.event, payload, now)

    def store_it() -> None:
        with store.begin() as work:
            keep(work, received, own_login)

    await asyncio.to_thread(store_it)
    return True


def _has(store: Store, guid: str) -> bool:
    with store.read() as work:
        return work.inbox.has(guid)


def _keep_place(store: Store, repository_id: int, place: _ListPosition) -> None:
    with store.begin() as work:
        work.repositories.set_cursor(repository_id, DELIVERIES, place.as_json())
