"""One commit for several units of work of a process, where there is one writer at a time (SQLite).

A commit waits for the disk, which takes longer than what most units of work do. So whoever is done
while others wait for their turn leaves the transaction to the next one, who works in it behind a
savepoint of its own, and the last one commits for all. None returns before the commit that holds
what it did: "done" means on the disk, as ever. One that fails takes back its own part only.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from sqlalchemy.orm import Session

from store.engine.failures import in_our_words
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from store.engine.fair_lock import FairLock

MOST = 16
"""Units of work that one commit holds."""

LONGEST = 0.01
"""Seconds after which a group takes no further member."""

STRAGGLING = 0.02
"""Seconds after which a member looks whether the next one, who was to commit, has given up."""


class CommitGroup:
    """A write transaction and those whose work is in it. Used by whoever has the turn."""

    def __init__(self, engine: Engine, shown_url: str) -> None:
        """Begin the transaction.

        :raises StoreError: another process writes, or the file cannot be written.
        """
        self.outcome: Future[None] = Future()
        self._shown_url = shown_url
        self._size = 0
        self._began = time.monotonic()
        with in_our_words(shown_url):
            self._connection = engine.connect()
            try:
                self._transaction = self._connection.begin()
            except BaseException:
                self._connection.close()
                raise

    @property
    def is_full(self) -> bool:
        return self._size >= MOST or time.monotonic() - self._began >= LONGEST

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to commit any more."""
        return self.outcome.done()

    @contextmanager
    def member(self) -> Iterator[Session]:
        """A part of the transaction; where it raises, it is taken back, and no other part is."""
        # the first one has nobody's work to spare
        mode: Literal["create_savepoint", "rollback_only"]
        mode = "create_savepoint" if self._size else "rollback_only"
        self._size += 1
        session = Session(self._connection, join_transaction_mode=mode)
        try:
            with in_our_words(self._shown_url), session, session.begin():
                yield session
        except BaseException:
            if not self._is_open:  # a full disk ends the transaction of all
                self._end(StoreError(f"{self._shown_url} has taken back the whole transaction"))
            raise

    def commit(self) -> None:
        """End it for all; what goes wrong is raised by each one's `outcome`."""
        try:
            self._commit()
        except Exception as error:
            self._connection.invalidate()  # whatever is left of the transaction goes with it
            self._end(error)
        else:
            self._end(None)

    def _commit(self) -> None:
        if not self._is_open:  # Python's driver would say nothing
            raise StoreError(f"{self._shown_url} has taken back the whole transaction")
        with in_our_words(self._shown_url):
            self._transaction.commit()

    @property
    def _is_open(self) -> bool:
        raw = self._connection.connection.dbapi_connection
        return raw is not None and bool(getattr(raw, "in_transaction", False))

    def _end(self, error: Exception | None) -> None:
        self._connection.close()  # rolls back what was not committed
        if error is None:
            self.outcome.set_result(None)
        else:
            self.outcome.set_exception(error)


class GroupCommit:
    """The group that is open, if any. Its methods but `wait` are called by whoever has the turn."""

    def __init__(self, turn: FairLock, shown_url: str) -> None:
        self._turn = turn
        self._shown_url = shown_url
        self._open: CommitGroup | None = None

    @contextmanager
    def member(self, engine: Engine) -> Iterator[tuple[CommitGroup, Session]]:
        """Work in the open group, or in one begun for it."""
        group = self._open = self._open or CommitGroup(engine, self._shown_url)
        try:
            with group.member() as session:
                yield group, session
        finally:
            if group.is_over:
                self._open = None

    def leave(self, *, urgent: bool) -> None:
        """Commit, unless somebody waits for the turn who may do so in our stead."""
        group = self._open
        if group is not None and (urgent or group.is_full or not self._turn.is_awaited):
            self.commit()

    def commit(self) -> None:
        """Commit the open group, where there is one."""
        group, self._open = self._open, None
        if group is not None and not group.is_over:
            group.commit()

    def wait(self, group: CommitGroup, turn: Callable[[], bool]) -> None:
        """Until the group is on the disk. The turn is given up before.

        :param turn: takes the turn; False: it is not to be had now.
        :raises StoreError: it could not be committed.
        """
        while True:
            try:
                group.outcome.result(timeout=STRAGGLING)
            except TimeoutError:
                if group.is_over or not turn():
                    continue
                try:
                    if self._open is group:
                        self.commit()
                finally:
                    self._turn.release()
            else:
                return
