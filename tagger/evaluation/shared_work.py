"""How several processes share one evaluation: who does which task."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class WorkBoard(Protocol):
    """Where tasks are taken from, so that none is done twice at the same time.

    :ivar workers: how many processes share the work: the time left is divided by it.
    """

    @property
    def workers(self) -> int: ...

    def take(self, task: str) -> AbstractContextManager[None] | None:
        """Hold a task while the block runs; None: another process holds it."""
        ...

    def wait(self) -> bool:
        """Every open task is held by others: wait a little; False: leave them to it."""
        ...

    def expect(self, seconds: float) -> None:
        """Told after each cell how long the rest will take."""
        ...


class UnsharedWork:
    """The board of a process that shares with nobody."""

    workers = 1

    def take(self, task: str) -> AbstractContextManager[None]:  # noqa: ARG002 - nobody competes
        return nullcontext()

    def wait(self) -> bool:
        return False

    def expect(self, seconds: float) -> None:  # noqa: ARG002 - nobody could help
        return None
