"""Deliveries that were given up: which, why, and how to set them going again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from store.errors import NotStored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from store.database import Store
    from store.records import GivenUp


def given_up(
    store: Store, repository: str | None = None, guids: Collection[str] = ()
) -> tuple[GivenUp, ...]:
    """The oldest first; of one repository, or only these, where they are named.

    :raises CommandRefused: one of `guids` was not given up.
    """
    with store.read() as work:
        given_ups = work.inbox.given_up(repository)
    unknown = sorted(set(guids) - {delivery.guid for delivery in given_ups})
    if unknown:
        raise CommandRefused(
            f"no delivery {', '.join(unknown)} was given up; issue-tagger failed lists those that "
            "were"
        )
    return tuple(delivery for delivery in given_ups if not guids or delivery.guid in guids)


def set_going(store: Store, deliveries: Iterable[GivenUp], now: datetime) -> int:
    """Make them due again; returns how many.

    Left are those without a payload, and what somebody else has set going meanwhile.
    """
    going = 0
    with store.begin() as work:
        for delivery in deliveries:
            try:
                work.inbox.retry(delivery.guid, now)
            except NotStored:
                continue
            going += 1
    return going
