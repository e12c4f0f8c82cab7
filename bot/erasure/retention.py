"""Retention: payloads go after a week, the deliveries' ids after a quarter, all by setting.

A payload holds what people wrote, and is needed until its delivery has ended. Its id is needed for
longer than GitHub redelivers, or a repeat would count as new. Issues, labels and decisions stay:
they are what the bot learns from and accounts for. They go a month after the App was uninstalled.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.erasure.repository_erasing import erase_repository
from bot.receiving.deleted_issues import SWEEP
from bot.repositories import presence
from store.errors import LeaseHeld, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.container import Container

log = logging.getLogger(__name__)

UNTOUCHED = 86_400.0
"""Seconds after which nobody is at work on a cache any more."""
AT_ONCE = 500
"""Rows for one transaction: other writers get their turn in between."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many payloads and deliveries were dropped, and repositories with all that was theirs."""

    payloads: int
    deliveries: int
    repositories: int = 0


def forget_old(container: Container) -> Forgotten:
    """Drop what is older than the settings keep; harmless at any time and in any process.

    :raises StoreError: the database cannot do it now; the next call goes on.
    """
    settings, now, store = container.settings, container.clock(), container.store
    payloads_before = now - timedelta(days=settings.keep_payloads_days)
    deliveries_before = now - timedelta(days=settings.keep_deliveries_days)

    def purge() -> int:
        with store.begin() as work:
            return work.inbox.purge_payloads(payloads_before, AT_ONCE)

    def forget() -> int:
        with store.begin() as work:
            return work.inbox.forget(deliveries_before, AT_ONCE)

    forgotten = Forgotten(
        deliveries=_until_done(forget),
        payloads=_until_done(purge),
        repositories=_forget_left(container),
    )
    _ask_for_sweeps(container)
    with suppress(StoreUnavailable):  # the next night does it
        container.store.compact()
    if forgotten.payloads or forgotten.deliveries:
        log.info(
            "old deliveries forgotten",
            extra={"payloads": forgotten.payloads, "deliveries": forgotten.deliveries},
        )
    return forgotten


def _forget_left(container: Container) -> int:
    """Erase the repositories that the bot has left for good; returns how many."""
    before = container.clock() - timedelta(days=container.settings.keep_left_days)
    with container.store.read() as work:
        left = [
            repository
            for repository in work.repositories.all()
            if presence.is_left_since(repository, before)
        ]
    erased = 0
    for repository in left:
        try:
            erase_repository(container, repository.full_name, older=UNTOUCHED)
        except LeaseHeld as error:
            log.warning("a repository is erased later", extra={"reason": str(error)})
        else:
            erased += 1
    return erased


def _ask_for_sweeps(container: Container) -> None:
    """Once more for deleted issues of which something could not be searched yet."""
    with container.store.begin() as work:
        for repository_id in work.tombstones.repositories_unswept():
            work.tasks.request(SWEEP, repository_id, container.clock())


def _until_done(step: Callable[[], int]) -> int:
    total = 0
    while number := step():
        total += number
    return total
