"""How far long work has come: bars on a terminal, a line for each step elsewhere.

Keeps `tagger.domain.strategy.Progress`. Bars appear once the work has taken longer than two
seconds and vanish with its end; they are drawn on stderr, so stdout stays what the command answers.
Lines say from then on how long the work has taken, and a step that takes long says now and then
how far it is and what is ahead of it.
"""

from __future__ import annotations

import sys
import threading
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

SILENCE = 20.0
"""Seconds without a line, elsewhere than on a terminal, after which the step at work says one."""


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
        self._lines = _StepLines(clock)
        self._ended = threading.Event()
        self._talking: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_drawing()
        self._ended.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While something else is written to the terminal: no bar may be drawn over it."""
        self._stop_drawing()
        yield

    def _stop_drawing(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._bars = self._live = None
        self._tasks.clear()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell that `done` of `total` are done in this step; a total of 0 is one not known."""
        stream = self._stream or sys.stderr
        if self._bars is None and not stream.isatty():
            _write(stream, self._lines.of(step, done, total))
            if self._talking is None:
                self._talking = threading.Thread(target=self._talk, args=[stream], daemon=True)
                self._talking.start()
        else:
            self._draw(self._bars or self._begin_to_draw(stream), step, done, total)

    def _talk(self, stream: TextIO) -> None:
        """Say that it goes on, where a step says nothing for long."""
        while not self._ended.wait(SILENCE):
            _write(stream, self._lines.overdue())

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


class _StepLines:
    """Which lines to write where no bar can be drawn: one a step, more where it takes long."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._last = clock()
        self._current = ""
        self._begun: dict[str, tuple[float, int]] = {}
        """Step → when it began, and how much of it was done then."""

    def of(self, step: str, done: int, total: int) -> str:
        """The line that is due, or nothing."""
        now, is_new = self._clock(), step not in self._begun
        self._current = step
        if is_new or done < self._begun[step][1]:  # it may come again
            self._begun[step] = now, done
        if not is_new and (now - self._last < SILENCE or 0 < total <= done):
            return ""
        self._last = now
        begun, done_then = self._begun[step]
        if done == done_then or total <= 1:
            return self._with_time(f"{step} ({total})" if total > 1 else step)
        ahead = (now - begun) / (done - done_then) * (total - done)
        line = self._with_time(f"{step}: {done} of {total}")
        return f"{line}, about {clock_time(ahead)} ahead"

    def overdue(self) -> str:
        """A line for a step that has said nothing for long, or nothing."""
        if not self._current or self._clock() - self._last < SILENCE:
            return ""
        self._last = self._clock()
        return self._with_time(f"still {self._current}")

    def _with_time(self, line: str) -> str:
        elapsed = self._clock() - self._began
        return f"{line}, after {clock_time(elapsed)}" if elapsed >= PATIENCE else line


def _write(stream: TextIO, line: str) -> None:
    if line:
        stream.write(f"{line}\n")
        stream.flush()


def clock_time(seconds: float) -> str:
    """As in 1:05, or 1:02:03 from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def waiting(step: str) -> Iterator[None]:
    """For work of one step whose end nobody knows: on a terminal a bar says that it goes on."""
    with ShownProgress() as progress:
        if sys.stderr.isatty():
            progress(step, 0, 0)
        yield
