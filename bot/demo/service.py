"""The real service as a process of its own, started and ended by the demonstration."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from bot.errors import CommandRefused
from bot.process.settings import environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.process.settings import Settings

START_SECONDS = 120.0
STOP_SECONDS = 30.0
_SHOWN_LINES = 20


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(settings: Settings, log: Path) -> Iterator[Service]:
    """Run `issue-tagger serve` with these settings while the block runs.

    :param log: where its log lines go.
    :raises CommandRefused: it does not come up; with the end of its log.
    """
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"],
            env=environment_of(settings),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
        )
        service = Service(process, f"http://127.0.0.1:{settings.port}", log)
        try:
            service.wait_until_ready()
            yield service
        finally:
            service.stop()


class Service:
    """A running service.

    :ivar url: where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.url = url
        self._process = process
        self._log = log

    def check_alive(self) -> None:
        """:raises CommandRefused: the process has ended; with the end of its log."""
        status = self._process.poll()
        if status is not None:
            raise CommandRefused(
                f"the service ended with status {status}; the end of its log:\n{self.last_lines()}"
            )

    def wait_until_ready(self) -> None:
        """:raises CommandRefused: it does not come up in time."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            self.check_alive()
            if time.monotonic() > deadline:
                raise CommandRefused(
                    f"the service was not ready after {START_SECONDS:.0f} s; "
                    f"the end of its log:\n{self.last_lines()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_SHOWN_LINES:])

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False
