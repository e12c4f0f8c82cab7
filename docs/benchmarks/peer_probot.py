"""probot as a process of its own, with a handler that does nothing: what others answer with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from bot.simulator.apps import key_pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = 'import { run } from "probot"; run((app) => { app.on("issues", async () => {}); });'
START_SECONDS = 120.0


@dataclass(frozen=True)
class Probot:
    """A running one; `url` is None, and `why` says why, where there is none."""

    url: str | None = None
    version: str = ""
    why: str = ""


@contextmanager
def probot_running(folder: Path | None, secret: str, port: int) -> Iterator[Probot]:
    """Run probot from the folder it is installed in while the block runs."""
    node = shutil.which("node")
    if folder is None or node is None or not (folder / "node_modules" / "probot").is_dir():
        why = "no node here" if node is None else "--probot names no folder that has it"
        yield Probot(why=why)
        return
    about = json.loads((folder / "node_modules/probot/package.json").read_text("utf-8"))
    private_key, _ = key_pair()
    process = subprocess.Popen(  # noqa: S603 - the program is the one above
        [node, "--input-type=module", "--eval", PROGRAM],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "NODE_ENV": "production",
            "LOG_LEVEL": "fatal",
            "APP_ID": "1",
            "PRIVATE_KEY": private_key,
            "WEBHOOK_SECRET": secret,
            "HOST": "127.0.0.1",
            "PORT": str(port),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}/ping")
        yield Probot(f"http://127.0.0.1:{port}/api/github/webhooks", about["version"])
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            raise SystemExit(f"probot ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise SystemExit(f"probot was not up after {START_SECONDS:.0f} s")
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
