"""One training of a repository at a time, on however many machines.

Two would share the folder of unfinished steps and promote over each other. A lease in the database
holds them apart: a training that dies leaves one that runs out, and the next one takes over. On the
same machine it does so at once, because there the death can be seen.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.process.lease_keeper import LeaseKeeper
from bot.process.process_identity import has_died, holder_name
from store.errors import LeaseHeld, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.database import Store
    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)


@contextmanager
def training_lease(
    store: Store,
    repository: str,
    progress: Progress,
    *,
    lease: timedelta = LEASE,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Progress]:
    """Hold the lease while the block runs; the progress that it gives raises once it is lost.

    :raises LeaseHeld: somebody else trains this repository, and who.
    :raises CommandRefused: from the progress: this process stood still for longer than the lease,
        and another one has taken over.
    """
    name = f"the training of {repository}"
    holder = holder_name()
    _take(store, name, holder, lease, clock)

    def renew() -> None:
        with store.begin() as work:
            work.leases.renew(name, holder, lease, clock())

    try:
        with LeaseKeeper(renew, lease) as keeper:
            watched = _watched(progress, keeper, name, lease)
            yield watched
            watched("training", 1, 1)
    finally:
        try:
            with store.begin() as work:
                work.leases.give_back(name, holder)
        except StoreUnavailable as error:
            log.warning("the training's lease runs out by itself", extra={"reason": str(error)})


def _watched(progress: Progress, keeper: LeaseKeeper, name: str, lease: timedelta) -> Progress:
    """The progress, which ends a training that is another's by now.

    One that only could not be renewed goes on: what it ends with is refused where another began.
    """

    def watched(step: str, done: int, total: int) -> None:
        if keeper.was_taken_over:
            raise CommandRefused(
                f"{name} has been taken over by another process, because this one did not answer "
                f"for {lease.total_seconds():.0f} s; nothing was changed"
            )
        progress(step, done, total)

    return watched


def _take(
    store: Store, name: str, holder: str, lease: timedelta, clock: Callable[[], datetime]
) -> None:
    try:
        with store.begin() as work:
            work.leases.take(name, holder, lease, clock())
    except LeaseHeld as held:
        if not has_died(held.lease.holder):
            raise
        log.warning("a training that died is taken over", extra={"holder": held.lease.holder})
        with store.begin() as work:
            work.leases.give_back(name, held.lease.holder)
            work.leases.take(name, holder, lease, clock())
