"""Long work shows on a terminal, is told in lines elsewhere, and short work is silent."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

from bot.process.progress import PATIENCE, ShownProgress, waiting

if TYPE_CHECKING:
    import pytest

    from tagger.domain.strategy import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def work(progress: Progress, done: int = 3) -> None:
    progress("encode [bold]", 0, 10)
    progress("encode [bold]", done, 10)


def shown(stream: io.StringIO, seconds: float, done: int = 3) -> str:
    clock = Clock()
    with ShownProgress(stream, clock=clock) as progress:
        work(progress, done)
        clock.now += seconds
    return stream.getvalue()


def test_long_work_draws_a_bar_on_a_terminal() -> None:
    text = shown(Terminal(), PATIENCE + 1)
    assert "encode [bold]" in text
    assert "3/10" in text


def test_short_work_draws_nothing() -> None:
    assert "encode" not in shown(Terminal(), PATIENCE - 1)


def test_a_finished_step_leaves_the_terminal() -> None:
    assert "encode" not in shown(Terminal(), PATIENCE + 1, done=10)


def test_a_step_may_come_again_after_its_end() -> None:
    clock, terminal = Clock(), Terminal()
    with ShownProgress(terminal, clock=clock) as progress:
        progress("fit", 5, 5)
        progress("fit", 2, 5)
        clock.now += PATIENCE
    assert "2/5" in terminal.getvalue()


def test_an_unknown_total_is_drawn_too() -> None:
    clock, terminal = Clock(), Terminal()
    with ShownProgress(terminal, clock=clock) as progress:
        progress("pages", 7, 0)
        clock.now += PATIENCE
    assert "7/?" in terminal.getvalue()


def test_elsewhere_each_step_is_one_line() -> None:
    stream = io.StringIO()
    with ShownProgress(stream) as progress:
        work(progress)
        progress("gate", 0, 1)
        progress("gate", 1, 1)
    assert stream.getvalue() == "encode [bold] (10)\ngate\n"


def test_without_work_nothing_is_written() -> None:
    stream = Terminal()
    with ShownProgress(stream):
        pass
    assert stream.getvalue() == ""


def test_rich_is_loaded_only_when_something_is_drawn() -> None:
    code = (
        "import sys, bot.process.progress as p\n"
        "with p.ShownProgress() as progress: progress('x', 1, 2)\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "x (2)\n")


def test_one_step_of_unknown_length_is_shown_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {}
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr("bot.process.progress.PATIENCE", 0.0)
        with waiting("examining"):
            pass
        seen[stream.isatty()] = stream.getvalue()
    assert "examining" in seen[True]
    assert seen[False] == ""
