"""Long work shows on a terminal, is told in lines elsewhere, and short work is silent."""

from __future__ import annotations

import io
import subprocess
import sys
import time
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


def test_elsewhere_long_work_says_how_long_and_what_is_ahead() -> None:
    clock, stream = Clock(), io.StringIO()
    with ShownProgress(stream, clock=clock) as progress:
        progress("tuning", 0, 100)
        for done in range(1, 100):
            clock.now += 1
            progress("tuning", done, 100)
        progress("tuning", 100, 100)
        progress("tuning", 0, 100)  # comes again, which is no news
        progress("gate", 0, 1)
    assert stream.getvalue().splitlines() == [
        "tuning (100)",
        "tuning: 20 of 100, after 0:20, about 1:20 ahead",
        "tuning: 40 of 100, after 0:40, about 1:00 ahead",
        "tuning: 60 of 100, after 1:00, about 0:40 ahead",
        "tuning: 80 of 100, after 1:20, about 0:20 ahead",
        "gate, after 1:39",
    ]


def test_elsewhere_a_silent_step_is_said_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.process.progress.SILENCE", 0.01)
    clock, stream = Clock(), io.StringIO()
    with ShownProgress(stream, clock=clock) as progress:
        progress("tuning", 0, 100)
        clock.now += 90
        for _ in range(500):
            if "still" in stream.getvalue():
                break
            time.sleep(0.01)
    assert stream.getvalue().splitlines()[:2] == ["tuning (100)", "still tuning, after 1:30"]


def test_bars_are_away_while_something_else_is_written() -> None:
    clock, terminal = Clock(), Terminal()
    with ShownProgress(terminal, clock=clock) as progress:
        progress("fit", 2, 5)
        clock.now += PATIENCE
        with progress.paused():
            terminal.truncate(0)
            terminal.write("a table\n")
        assert "2/5" not in terminal.getvalue()
        progress("fit", 3, 5)
    assert "3/5" in terminal.getvalue().partition("a table")[2]


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
