"""How far long work has come: bars on a terminal, a line for each step elsewhere.

Keeps `tagger.domain.strategy.Progress`. Bars appear once the work has taken longer than two
seconds and vanish with its end; they are drawn on stderr, so stdout stays what the command answers.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress, TaskID

PATIENCE = 2.0
"""Seconds of work that need no bar."""


class ShownProgress:
    """Used as `with ShownProgress() as progress:`, and called with a step, its count, its total.

    :param stream: where to show; what `sys.stderr` is where none is given.
    :param clock: seconds that only grow.
    """

    def __init__(
        self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._bars: Progress | None = None
        self._live: Live | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._bars = self._live = None

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell that `done` of `total` are done in this step; a total of 0 is one not known."""
        stream = self._stream or sys.stderr
        if self._bars is None and not stream.isatty():
            self._tell_once(stream, step, total)
        else:
            self._draw(self._bars or self._begin_to_draw(stream), step, done, total)

    def _tell_once(self, stream: TextIO, step: str, total: int) -> None:
        if step not in self._told:
            self._told.add(step)
            stream.write(f"{step} ({total})\n" if total > 1 else f"{step}\n")
            stream.flush()

    def _begin_to_draw(self, stream: TextIO) -> Progress:
        """Start drawing at once: the drawing itself waits, for the next call may come late."""
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed
        from rich.progress import TimeRemainingColumn as Remaining

        text = TextColumn("{task.description}", markup=False)  # a label may be called [bold]
        console = Console(file=stream)
        self._bars = Progress(
            text, BarColumn(), MofNCompleteColumn(), Elapsed(), Remaining(), console=console
        )
        self._live = Live(
            console=console,
            get_renderable=self._drawn,
            transient=True,
            redirect_stdout=False,  # what the command answers would end up on stderr
        )
        self._live.start()
        return self._bars

    def _drawn(self) -> RenderableType:
        from rich.console import Group

        if self._bars is None or self._clock() - self._began < PATIENCE:
            return Group()
        return self._bars.get_renderable()

    def _draw(self, bars: Progress, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = bars.add_task(step, total=total or None)
        bars.update(self._tasks[step], completed=done, total=total or None)
        if 0 < total <= done:
            bars.remove_task(self._tasks.pop(step))


@contextmanager
def waiting(step: str) -> Iterator[None]:
    """For work of one step whose end nobody knows: on a terminal a bar says that it goes on."""
    with ShownProgress() as progress:
        if sys.stderr.isatty():
            progress(step, 0, 0)
        yield
