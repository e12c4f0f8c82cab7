"""Retention: payloads go after a week, the deliveries' ids after a quarter, both by setting.

A payload holds what people wrote, and is needed until its delivery has ended. Its id is needed for
longer than GitHub redelivers, or a repeat would count as new. Issues, labels and decisions stay:
they are what the bot learns from and accounts for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.container import Container

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Rows for one transaction: other writers get their turn in between."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many payloads and how many deliveries were dropped."""

    payloads: int
    deliveries: int


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

    forgotten = Forgotten(deliveries=_until_done(forget), payloads=_until_done(purge))
    if forgotten.payloads or forgotten.deliveries:
        log.info(
            "old deliveries forgotten",
            extra={"payloads": forgotten.payloads, "deliveries": forgotten.deliveries},
        )
    return forgotten


def _until_done(step: Callable[[], int]) -> int:
    total = 0
    while number := step():
        total += number
    return total
