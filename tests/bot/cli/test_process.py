"""The console script as a process: light to start, clean when a pipe closes or Ctrl-C comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "bot.cli"]
HEAVY = (
    "numpy",
    "torch",
    "sklearn",
    "sqlalchemy",
    "pydantic",
    "httpx",
    "fastapi",
    "rich",
    "asyncio",
)


def test_help_loads_nothing_that_only_commands_need() -> None:
    code = f"import sys, bot.cli.app; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_reader_that_goes_away_is_no_error_to_report() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_ctrl_c_ends_quietly(tmp_path: Path) -> None:
    pipe = tmp_path / "issues.jsonl"
    os.mkfifo(pipe)
    # a suite that was started in the background would hand down an ignored Ctrl-C
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*COMMAND, "import", str(pipe), "--repo", "octo/lab"],
        env={**os.environ, "ISSUE_TAGGER_DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    with pipe.open("w"):  # opens once the command reads, and never writes
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("work",)], ids=" ".join)
def test_whoever_is_told_to_end_ends_with_0(tmp_path: Path, command: tuple[str, ...]) -> None:
    log = tmp_path / "log"
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*COMMAND, *command],
            env={
                **os.environ,
                "ISSUE_TAGGER_DATA_DIR": str(tmp_path / "data"),
                "ISSUE_TAGGER_WEBHOOK_SECRET": "quiet",
            },
            stdout=lines,
            stderr=lines,
        )
    deadline = time.monotonic() + 120
    while "worker started" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0, log.read_text()
    assert "worker stopped" in log.read_text()
    assert "Traceback" not in log.read_text()
