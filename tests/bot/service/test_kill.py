"""kill -9 in the middle of work, and start again: nothing lost, nothing set twice."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from fakes_bot import BOT, REPO, SECRET, TOKEN, signed

from bot.process.settings import Settings, environment_of
from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from store.database import Store
from store.records import ReleaseRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.simulator.records import Delivery

PROGRAM = Path(__file__).parents[1] / "service_of_words.py"
KILLS = 4
DELIVERIES = 60
RULES = """\
mode: apply
delay_seconds: 0
learning: {audit_share: 0, weekly_suggestions: 0} # an issue that chance draws is asked about
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def service(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as lines:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env={**environment_of(settings), "PYTHONPATH": str(PROGRAM.parents[2])},
            stdout=lines,
            stderr=lines,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


async def _sent(http: httpx.AsyncClient, delivery: Delivery) -> bool:
    """Whether it was accepted; GitHub would show anything else as failed, to be redelivered."""
    body, headers = signed(delivery)
    try:
        return (await http.post("/webhook", content=body, headers=headers)).status_code == 202
    except httpx.TransportError:
        return False


async def _send_until(
    http: httpx.AsyncClient, waiting: list[Delivery], process: subprocess.Popen[bytes], end: float
) -> None:
    """Send one after the other; at the moment `end`, kill the service, whatever it is doing."""
    while time.monotonic() < end:
        for delivery in waiting[:5]:
            if time.monotonic() < end and await _sent(http, delivery):
                waiting.remove(delivery)
        await asyncio.sleep(0.01)
    process.kill()


@pytest.mark.slow
def test_four_kills_lose_nothing_and_set_nothing_twice(database_url, tmp_path) -> None:
    chance = random.Random(7)
    state = GitHubState()
    state.add_repository(REPO)
    state.add_token(TOKEN, BOT)
    state.set_role(REPO, BOT, "write")
    state.add_label(REPO, "bug")
    state.push_file(REPO, ".github/issue-tagger.yml", RULES)
    waiting = [state.open_issue(REPO, f"a bug {n}") for n in range(DELIVERIES)]
    everything = list(waiting)
    log = tmp_path / "serve.log"
    with serving(state) as url, Store(database_url) as store:
        settings = Settings(
            data_dir=tmp_path,
            database_url=database_url,
            github_api_url=url,
            github_token=TOKEN,
            webhook_secret=SECRET,
            port=free_port(),
        )
        _promote(store, settings, state)
        for _ in range(KILLS):
            with service(settings, log) as process:
                _wait_until_up(settings, process, log)
                asyncio.run(_run(settings, waiting, process, chance))
        with service(settings, log) as process:
            _wait_until_up(settings, process, log)
            asyncio.run(_finish(settings, waiting, everything))
            _wait_until_empty(store, process, log)
        with store.read() as work:
            counts, predictions = work.inbox.counts(), work.predictions.count()
    assert counts["done"] == DELIVERIES
    assert predictions == DELIVERIES
    for number in range(1, DELIVERIES + 1):
        issue = state.issue(REPO, number)
        assert issue.label_names == ["bug"]
        assert [event.event for event in issue.events] == ["labeled"]


async def _run(
    settings: Settings, waiting: list[Delivery], process: subprocess.Popen[bytes], chance
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http:
        await _send_until(http, waiting, process, time.monotonic() + chance.uniform(0.1, 0.6))


async def _finish(settings: Settings, waiting: list[Delivery], everything: list[Delivery]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}") as http:
        for delivery in [*waiting, *everything]:
            assert await _sent(http, delivery)


def _promote(store: Store, settings: Settings, state: GitHubState) -> None:
    folder = settings.releases_folder / "r1"
    folder.mkdir(parents=True)
    (folder / "labels.json").write_text(json.dumps(["bug"]), "utf-8")
    now = state.now()
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=now)
        work.releases.add(repository.id, ReleaseRecord("r1", now, "r1", "digest", {}))
        work.releases.promote(repository.id, "r1", now)


def _wait_until_up(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, log.read_text("utf-8")
        try:
            if httpx.get(f"http://127.0.0.1:{settings.port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def _wait_until_empty(store: Store, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        with store.read() as work:
            counts = work.inbox.counts()
        if counts["pending"] + counts["running"] == 0:
            return
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, (counts, log.read_text("utf-8")[-5000:])
        time.sleep(0.05)
