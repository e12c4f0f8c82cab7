"""How good labels are in use, for a page: worked out aside, so that no page waits for it.

Twelve weeks of a large repository take seconds to read; a page is given the last figures, and
none while the first ones are worked out.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from store.errors import StoreError

if TYPE_CHECKING:
    from store.database import Store
    from store.records import Repository
    from tagger.monitoring.live_figures import LiveLabel

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=5)
PATIENCE_SECONDS = 0.03
"""How long a page waits for the first figures; of a small repository they are there by then."""
REST = 100
"""Times as long as the last working out took, at least, before the next."""
QUICK_SECONDS = 0.3
LONG_AGO = datetime.min.replace(tzinfo=UTC)
MAX_REPOSITORIES = 1000
_POOLED = "all labels"


@dataclass(frozen=True)
class LiveStanding:
    """Figures of one repository over twelve weeks.

    :ivar seconds: that it took to work them out.
    :ivar pooled: of all labels together; None where nothing was judged.
    """

    at: datetime
    seconds: float
    pooled: LiveLabel | None
    labels: tuple[LiveLabel, ...]

    @property
    def lasts(self) -> timedelta:
        """How long they are good enough for a page."""
        return max(FRESH, timedelta(seconds=REST * self.seconds))


class LiveStandings:
    """Keeps the figures of repositories, each worked out by one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_repository: dict[int, LiveStanding] = {}
        self._working: dict[int, threading.Thread] = {}
        self._lock = threading.Lock()

    def of(self, repository: Repository, now: datetime) -> LiveStanding | None:
        """The last figures; None: they are being worked out for the first time."""
        with self._lock:
            standing = self._by_repository.get(repository.id)
            stale = standing is None or abs(now - standing.at) >= standing.lasts
            if stale and repository.id not in self._working:
                thread = threading.Thread(
                    target=self._work_out, args=(repository, now), daemon=True, name="standing"
                )
                self._working[repository.id] = thread
                thread.start()
            working = self._working.get(repository.id)
        if standing is None and working is not None:
            working.join(PATIENCE_SECONDS)
            standing = self._by_repository.get(repository.id)
        return standing

    def outdated(self, repository: Repository) -> None:
        """Something was decided: have them worked out anew where that takes no time."""
        with self._lock:
            standing = self._by_repository.get(repository.id)
            if standing is not None and standing.seconds < QUICK_SECONDS:
                self._by_repository[repository.id] = replace(standing, at=LONG_AGO)

    def _work_out(self, repository: Repository, now: datetime) -> None:
        from bot.evaluating.live_outcomes import answered
        from tagger.monitoring.live_figures import live_figures

        began = time.perf_counter()
        try:
            with self._store.read() as work:
                judged = list(answered(work, repository, now))
            labels = live_figures(judged, weekly=False)
            together = [replace(label, label=_POOLED) for label in judged]
            pooled = next(iter(live_figures(together, weekly=False)), None)
            with self._lock:
                if len(self._by_repository) >= MAX_REPOSITORIES:
                    self._by_repository.pop(next(iter(self._by_repository)))
                self._by_repository[repository.id] = LiveStanding(
                    now, time.perf_counter() - began, pooled, labels
                )
        except StoreError as error:  # the page itself says so; the last figures stay
            log.warning("no figures in use", extra={"reason": str(error)})
        finally:
            with self._lock:
                self._working.pop(repository.id, None)
