"""A run of an evaluation in the database: its finished cells, and who works on what."""

from __future__ import annotations

import contextlib
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.process.lease_keeper import LeaseKeeper
from bot.process.process_identity import holder_name
from store.errors import LeaseHeld, StoreUnavailable
from store.records import EvaluationCell
from tagger.evaluation.cells import CellResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from bot.evaluating.helper_processes import Helpers
    from store.database import Store
    from tagger.evaluation.cells import CellKey

LEASE = timedelta(minutes=1)
"""How long a task stays a dead process's; renewed at a third of it."""

PAUSE = 2.0
"""Seconds between two looks at what other processes have finished."""


class StoredCells:
    """A `CellStore` in the database: the cells of one run, whichever process finished them."""

    def __init__(self, store: Store, run_id: int, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock

    def get(self, key: CellKey) -> CellResult | None:
        """The finished cell, or None.

        :raises CellDamaged: it cannot be read back.
        """
        with self._store.read() as work:
            cell = work.evaluations.cell(self._run_id, key.text)
        return None if cell is None else CellResult.of_json(dict(cell.result))

    def put(self, key: CellKey, cell: CellResult) -> None:
        with self._store.begin() as work:
            stored = EvaluationCell(key.text, cell.to_json())
            work.evaluations.put_cell(self._run_id, stored, self._clock())


class StoredWorkBoard:
    """A `WorkBoard` in the database: tasks of one run, held under leases.

    :param helpers: processes of this machine that share the work; whoever has them waits for what
        others hold. None: this is a helper itself, and leaves it to them.
    :param alive: False ends the help.
    """

    def __init__(
        self,
        store: Store,
        run_id: int,
        clock: Callable[[], datetime],
        *,
        helpers: Helpers | None = None,
        alive: Callable[[], bool] = lambda: True,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock
        self._helpers = helpers
        self._alive = alive
        self._pause = pause
        self._name = holder_name()

    @property
    def workers(self) -> int:
        """Processes of this machine at work."""
        return self._helpers.workers if self._helpers else 1

    def take(self, task: str) -> AbstractContextManager[None] | None:
        """Hold a task while the block runs; None: another process holds it."""
        if not self._alive():
            return None
        try:
            with self._store.begin() as work:
                work.leases.take(self._lease(task), self._name, LEASE, self._clock())
        except LeaseHeld:
            return None
        return self._holding(task)

    def wait(self) -> bool:
        """Every open task is held by others."""
        if self._helpers is None:
            return False
        self._pause(PAUSE)
        return True

    def expect(self, seconds: float) -> None:
        """Told after each cell how long the rest will take."""
        if self._helpers is not None:
            self._helpers.expect(seconds)

    @contextmanager
    def _holding(self, task: str) -> Iterator[None]:
        """What is taken over meanwhile is computed twice, to the same numbers."""
        try:
            with LeaseKeeper(lambda: self._renew(task), LEASE):
                yield
        finally:
            with contextlib.suppress(StoreUnavailable), self._store.begin() as work:
                work.leases.give_back(self._lease(task), self._name)

    def _renew(self, task: str) -> None:
        with self._store.begin() as work:
            work.leases.renew(self._lease(task), self._name, LEASE, self._clock())

    def _lease(self, task: str) -> str:
        return f"evaluation {self._run_id} {task}"
