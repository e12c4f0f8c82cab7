"""Processes of this machine that help with an evaluation."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

log = logging.getLogger(__name__)

WORTH_IT = 90.0
"""Seconds of work left from which helpers are started: each needs some to load what it needs."""

MEMORY_EACH = 3e9
"""Bytes that a process may need while it tunes a small transformer."""


class Helpers:
    """Starts processes that join a run, and sees to it that none outlives it.

    :param command: what each runs, to which `--threads` is added: how many it may compute with.
    :param number: how many at once; None: as many as processors and memory allow, once the rest
        is worth it.
    """

    def __init__(self, command: list[str], number: int | None) -> None:
        self._command = command
        self._number = number
        self._running: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []

    @property
    def workers(self) -> int:
        """Those that help at present, and this process itself."""
        return 1 + sum(process.poll() is None for process, _ in self._running)

    def expect(self, seconds: float) -> None:
        """Told how long the rest will take: begins to help where nobody said how many."""
        if self._number is None and seconds > WORTH_IT:
            self._number = spare_processes()
            self.start()

    def start(self) -> None:
        """Start as many as were asked for; where nobody said how many, `expect` does."""
        if not self._number:
            return
        from tagger.runtimes.threads import limit_threads

        threads = max(1, processors() // (self._number + 1))
        limit_threads(threads)
        for _ in range(self._number):
            errors = TemporaryFile()  # noqa: SIM115 - closed with its process
            command = [*self._command, "--threads", str(threads)]
            process = subprocess.Popen(  # noqa: S603 - our own command line
                command, stdout=subprocess.DEVNULL, stderr=errors
            )
            self._running.append((process, errors))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process, errors in self._running:
            if process.poll() is None:
                process.terminate()
                process.wait()
            elif process.returncode:
                errors.seek(0)
                splitlines = errors.read().decode("utf-8", "replace").strip().splitlines()
                log.warning(
                    "a helper ended early", extra={"reason": splitlines[-1] if splitlines else ""}
                )
            errors.close()


def helping_command(repository: str, run_id: int) -> list[str]:
    """What a process runs to help with this run for as long as the present process lives."""
    join = ["--join", str(run_id), "--while-alive", str(os.getpid())]
    return [sys.executable, "-m", "bot.cli", "evaluate", repository, *join]


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spare_processes() -> int:
    """How many more processes the machine has room for: one a processor, memory permitting."""
    return max(0, min(processors() - 1, int(_free_memory() // MEMORY_EACH)))


def _free_memory() -> float:
    """Bytes that can be used without swapping; none are assumed where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024.0 if kilobytes else 0.0
