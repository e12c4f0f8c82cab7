"""What takes seconds: worked out aside, a thread each, and asked for again until it is there."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bot.errors import BotError
from bot.github.errors import GitHubError
from store.errors import StoreError
from tagger.errors import TaggerError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from tagger.domain.strategy import Progress

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.5
"""How long an answer waits for something that may be quick."""
MAX_KEPT = 200
AT_ONCE = 2
"""Computed at the same time: more would only slow each other, and the webhooks."""

WorkState = Literal["running", "done", "failed"]


@dataclass
class AsideWork:
    """Something being worked out, or what came of it.

    :ivar step: what it is at, for people.
    """

    began: datetime
    state: WorkState = "running"
    result: Any = None
    error: str = ""
    step: str = ""
    ended: datetime | None = None
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    def progress(self, step: str, done: int, total: int) -> None:
        """A `Progress`."""
        self.step = f"{step}, {done:,} of {total:,}" if total > 1 else step

    def wait(self, seconds: float) -> None:
        """Until it is over, but no longer than that."""
        self._over.wait(seconds)

    def end(self, now: datetime, result: Any = None, error: str = "") -> None:
        self.result, self.error, self.ended = result, error, now
        self.state = "failed" if error else "done"
        self._over.set()


class Background:
    """Keeps what was worked out by key, for as long as it is fresh. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._by_key: dict[Hashable, AsideWork] = {}
        self._lock = threading.Lock()
        self._room = threading.Semaphore(AT_ONCE)

    def find(self, key: Hashable) -> AsideWork | None:
        """What was asked for under this key last."""
        with self._lock:
            return self._by_key.get(key)

    def ask(
        self,
        key: Hashable,
        work_out: Callable[[Progress], Any],
        *,
        fresh: timedelta = timedelta(minutes=10),
        patience: float = PATIENCE_SECONDS,
    ) -> AsideWork:
        """What is there already, or being worked out; else it is begun now.

        A failure is handed out once.

        :param work_out: is given a `Progress`.
        """
        with self._lock:
            there = self._by_key.get(key)
            if there is not None and there.state == "failed":
                del self._by_key[key]  # said once, and tried again when it is asked for next
                return there
            if there is None or (there.ended and self._clock() - there.ended >= fresh):
                there = self._begin(key, work_out)
        there.wait(patience)
        return there

    def forget(self, key: Hashable) -> None:
        """Have it worked out anew when it is asked for next."""
        with self._lock:
            if (there := self._by_key.get(key)) is not None and there.state != "running":
                del self._by_key[key]

    def _begin(self, key: Hashable, work_out: Callable[[Progress], Any]) -> AsideWork:
        aside = AsideWork(self._clock())
        for old in [each for each, work in self._by_key.items() if work.state != "running"]:
            if len(self._by_key) < MAX_KEPT:
                break
            del self._by_key[old]
        self._by_key[key] = aside
        threading.Thread(
            target=self._run, args=(aside, work_out), daemon=True, name="aside"
        ).start()
        return aside

    def _run(self, aside: AsideWork, work_out: Callable[[Progress], Any]) -> None:
        with self._room:
            try:
                aside.end(self._clock(), work_out(aside.progress))
            except (BotError, GitHubError, StoreError, TaggerError) as error:
                aside.end(self._clock(), error=str(error))
            except Exception:
                log.exception("something went wrong aside")
                aside.end(self._clock(), error="this should not have happened; the log says more")
