"""Reconciliation: a sweep that makes up for what GitHub told nobody, or told in vain.

Failed deliveries are fetched from GitHub's own record, everything that changed is brought in as by
`sync`, and what was opened and never delivered goes through the inbox like any webhook. Each part
keeps what it has done as it goes, so that a sweep may be ended at any moment and the next one goes
on. Nothing is done twice, and labels are not created.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.receiving.suggestion_outcomes import ask_for_answers
from bot.repositories.missed_deliveries import Recovered, recover
from bot.repositories.missed_events import make_up
from bot.repositories.names import move
from bot.repositories.presence import left_because
from bot.repositories.syncing import ask_who, own_login, sync
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from bot.container import Container
    from bot.github.access import Access
    from bot.repositories.syncing import Synced
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

CENSUS = "census"
"""The name in `Repository.cursors`."""
CENSUS_AFTER = timedelta(days=7)
"""Between two listings of all issues: GitHub lists nothing of what is gone."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a sweep found.

    :ivar made_up: events that were never delivered and are in the inbox now.
    :ivar answered: suggestions that people have approved or turned down since the last sweep.
    """

    synced: Synced
    recovered: Recovered
    made_up: int
    answered: int = 0


def reconcile(container: Container, repository: str, progress: Progress = silent) -> Reconciled:
    """Sweep one repository; blocks until it is done. Any process may do it at any time.

    :raises GitHubError: GitHub refuses, or asks to come back later; what was done is kept, and
        the next sweep goes on.
    :raises CommandRefused: the bot has left the repository, or there are no credentials.
    """

    async def run() -> Reconciled:
        access = container.access()
        if access is None:
            raise CommandRefused(
                "there are no credentials for GitHub; set ISSUE_TAGGER_GITHUB_APP_ID and a key, "
                "or ISSUE_TAGGER_GITHUB_TOKEN"
            )
        try:
            return await sweep(
                container.store, access, repository, now=container.clock(), progress=progress
            )
        finally:
            await access.aclose()

    return asyncio.run(run())


async def sweep(
    store: Store,
    access: Access,
    repository: str,
    *,
    now: datetime,
    progress: Progress = silent,
) -> Reconciled:
    """As `reconcile`, inside the event loop that `access` belongs to."""
    stored = await _found(store, access, repository, now)
    login = await own_login(access)
    recovered = Recovered()
    if access.as_app is not None:
        # First, for their payloads tell issues as they were filed.
        recovered = await recover(store, access.as_app, stored, login, now=now, progress=progress)
    census = _census_is_due(stored, now)
    synced = await sync(store, access, stored.full_name, now=now, census=census, progress=progress)
    made_up = await asyncio.to_thread(_make_up, store, stored.id, login, now, census)
    client = await access.client(stored.full_name)
    answered = await ask_for_answers(store, client, stored, now)
    return Reconciled(synced, recovered, made_up, answered)


async def _found(store: Store, access: Access, repository: str, now: datetime) -> Repository:
    """The repository under its present name.

    :raises CommandRefused: the bot may not act there any more.
    """
    with store.read() as work:
        before = work.repositories.find(repository)
    if before is not None and (why := left_because(before)):
        raise CommandRefused(f"{repository} is left alone: {why}")
    present = await ask_who(store, await access.client(repository), repository, now)
    if before is None or before.id != present.id or before.full_name == present.full_name:
        return present
    with store.begin() as work:
        move(work, present, before.full_name)
        return work.repositories.by_id(present.id)


def _census_is_due(repository: Repository, now: datetime) -> bool:
    stored = repository.cursors.get(CENSUS)
    return stored is None or now - datetime.fromisoformat(stored) >= CENSUS_AFTER


def _make_up(
    store: Store, repository_id: int, login: str | None, now: datetime, census: bool
) -> int:
    with store.begin() as work:
        made_up = make_up(work, work.repositories.by_id(repository_id), login, now)
        if census:
            work.repositories.set_cursor(repository_id, CENSUS, now.isoformat())
    return made_up
