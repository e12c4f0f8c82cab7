"""How long the rest will take, from what finished cells have taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tagger.evaluation.cells import CellKey


class TimeLeft:
    """Estimates the time left from what cells of the same strategy and slice have taken."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._taken: list[tuple[CellKey, float]] = []

    def begin(self) -> None:
        self._since = self._clock()

    def done(self, key: CellKey) -> None:
        now = self._clock()
        self._taken.append((key, now - self._since))
        self._since = now

    def left(self, waiting: Sequence[CellKey]) -> float:
        """Seconds for these cells, 0 before any is done."""
        return sum(self._expected(key) for key in waiting)

    def _expected(self, key: CellKey) -> float:
        """From cells of the same strategy and slice, else of the strategy, else of any."""
        wider = (
            lambda other: (other.strategy, other.slice) == (key.strategy, key.slice),
            lambda other: other.strategy == key.strategy,
        )
        for alike in wider:
            times = [seconds for other, seconds in self._taken if alike(other)]
            if times:
                return sum(times) / len(times)
        times = [seconds for _, seconds in self._taken]
        return sum(times) / max(len(times), 1)


def in_words(seconds: float) -> str:
    """Seconds as people say them: "40 s", "12 min"."""
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if minutes < 2 else f"{minutes} min"
