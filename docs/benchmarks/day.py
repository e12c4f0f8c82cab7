"""A day of traffic in compressed time: memory, open files and the queue's age stay flat.

    python docs/benchmarks/day.py --minutes 20

Starts the real service in a process of its own, on SQLite, as a GitHub App, with a clock that runs
so fast that a day passes in `--minutes`: delays, leases, tokens that last an hour, retention and
whatever else goes by the clock come round as often as in a day. The stand-in's people open, edit,
label, discuss and close issues, busier by day than by night. Prints Markdown, a row for each hour.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bot.container import Container, build
from bot.demo import stage
from bot.demo.material import from_sample
from bot.demo.service import Service, free_port
from bot.jobs.delivery_queue import DeliveryLimits
from bot.learning.retraining import RetrainRequest, retrain
from bot.process.settings import environment_of, load_settings
from bot.repositories.importing import import_rows
from bot.simulator.server import serving
from bot.simulator.webhooks import WebhookSender
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.demo.material import Material
    from bot.simulator.state import GitHubState

SECRET = "benchmark"  # noqa: S105 - signs deliveries to ourselves
DAY = timedelta(days=1)
CLOCK = "BENCHMARK_CLOCK"
PEOPLE = ("ada", "bob", "eve")
ACTS = ("open", "edit", "label", "comment", "comment", "comment", "close")


def main() -> None:
    """Run the day, or, in the child process, the service."""
    if CLOCK in os.environ:
        _serve()
        return
    wanted = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), wanted)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=20.0, help="in which the day passes")
    parser.add_argument("--hours", type=int, default=24, help="of the day that are played")
    parser.add_argument("--acts", type=int, default=5000, help="of people, over the day")
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, default=None, help="where the service's log goes")
    return parser.parse_args()


def fast_clock(began: float, speed: float) -> Callable[[], datetime]:
    """A clock that was right at `began` (seconds since 1970) and has run `speed` times since."""
    start = datetime.fromtimestamp(began, UTC)
    return lambda: start + (time.time() - began) * speed * timedelta(seconds=1)


def _serve() -> None:
    from bot.process.logs import set_up_logs
    from bot.service.serving import serve

    began, speed = map(float, os.environ[CLOCK].split(","))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = load_settings()
    set_up_logs(settings.log_format, settings.secrets())
    # a lease is renewed by the process's own time and runs out by the fast clock
    pace = DeliveryLimits(lease=timedelta(seconds=60) * speed, poll=timedelta(seconds=0.2))
    serve(Container(settings, clock=fast_clock(began, speed)), pace=pace)


def _run(folder: Path, wanted: argparse.Namespace) -> None:
    material = from_sample(silent)
    speed = DAY / timedelta(minutes=wanted.minutes)
    state = stage.set_up(material.repository, material.labels)
    app = state.create_app("issue-tagger", webhook_secret=SECRET)
    state.install(app, material.repository)
    settings = load_settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder}/issue-tagger.sqlite3",
        github_app_id=app.id,
        github_private_key=app.private_key,
        webhook_secret=SECRET,
        host="127.0.0.1",
        port=free_port(),
    )
    _learn(build(settings), material, wanted.strategies)
    with serving(state) as url, (wanted.log or folder / "serve.log").open("wb") as log:
        settings = settings.model_copy(update={"github_api_url": url})
        began = time.time()
        state.clock = fast_clock(began, speed)
        process = subprocess.Popen(  # noqa: S603 - this very script
            [sys.executable, __file__],
            env={**environment_of(settings), CLOCK: f"{began},{speed}"},
            stdout=log,
            stderr=log,
        )
        service = Service(process, f"http://127.0.0.1:{settings.port}", Path(log.name))
        try:
            service.wait_until_ready()
            asyncio.run(Day(state, material, service, process.pid, wanted).run())
        finally:
            service.stop()
    if process.returncode != 0:
        raise SystemExit(f"the service ended with status {process.returncode}")


def _learn(installation: Container, material: Material, strategies: list[str] | None) -> None:
    now = installation.clock()
    installation.store.migrate()
    import_rows(installation.store, material.repository, material.known, material.labels, now=now)
    request = RetrainRequest(material.repository, strategies=strategies)
    retrain(installation.workspace(), request)
    installation.close()


@dataclass(frozen=True)
class Sample:
    """How the service is at one moment."""

    hour: int
    memory: float
    files: int
    threads: int
    queue_age: float
    waiting: int
    done: int


class Day:
    """What people do in a day, and a look at the service every hour of it."""

    def __init__(
        self,
        state: GitHubState,
        material: Material,
        service: Service,
        pid: int,
        wanted: argparse.Namespace,
    ) -> None:
        self._state = state
        self._repository = material.repository
        self._texts = [row.record for row in material.known if not row.record.is_pull_request]
        self._labels = [label.name for label in material.labels]
        self._service = service
        self._pid = pid
        self._minutes, self._acts, self._hours = wanted.minutes, wanted.acts, wanted.hours
        self._chance = random.Random(wanted.seed)
        self._open: list[int] = []
        self._refused = 0

    async def run(self) -> None:
        """Let the day pass; prints a row for every hour."""
        print("| hour | RSS MB | open files | threads | queue age s | waiting | done |")
        print("|---|---|---|---|---|---|---|", flush=True)
        samples = []
        async with httpx.AsyncClient(timeout=60) as http:
            sender = WebhookSender(self._state, http, f"{self._service.url}/webhook", SECRET)
            began = time.monotonic()
            for hour in range(self._hours):
                end = began + (hour + 1) * self._minutes * 60 / 24
                await self._pass_hour(sender, hour, end)
                samples.append(await self._look(http, hour + 1))
            await self._wait_until_empty(http)
            samples.append(await self._look(http, self._hours))
        _conclude(samples, self._refused)

    async def _pass_hour(self, sender: WebhookSender, hour: int, end: float) -> None:
        share = (1.2 - math.cos((hour + 0.5) / 24 * math.tau)) / 24 / 1.2
        acts = round(self._acts * share)
        for left in range(acts, 0, -1):
            self._act()
            codes = await sender.send_pending()
            self._refused += sum(code != 202 for code in codes)
            await asyncio.sleep(max((end - time.monotonic()) / left, 0))

    def _act(self) -> None:
        act, by = self._chance.choice(ACTS), self._chance.choice(PEOPLE)
        if act == "open" or not self._open:
            text = self._chance.choice(self._texts)
            opened = self._state.open_issue(self._repository, text.title, text.body or "", by=by)
            self._open.append(opened.payload["issue"]["number"])
            return
        number = self._chance.choice(self._open[-200:])
        if act == "edit":
            title = self._chance.choice(self._texts).title
            self._state.edit_issue(self._repository, number, by=by, title=title)
        elif act == "label":
            label = self._chance.choice(self._labels)
            self._state.add_labels(self._repository, number, [label], by=by)
        elif act == "comment":
            self._state.comment(self._repository, number, "the same here", by=by)
        else:
            self._state.set_state(self._repository, number, "closed", by=by)
            self._open.remove(number)

    async def _look(self, http: httpx.AsyncClient, hour: int) -> Sample:
        text = (await http.get(f"{self._service.url}/metrics")).text
        told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        inbox = {state: float(told[f'issue_tagger_inbox{{state="{state}"}}']) for state in STATES}
        if inbox["failed"]:
            raise SystemExit(f"{inbox['failed']:.0f} deliveries failed: see the log")
        memory, threads, files = _process(self._pid)
        sample = Sample(
            hour=hour,
            memory=memory,
            files=files,
            threads=threads,
            queue_age=float(told["issue_tagger_oldest_due_seconds"]) * self._minutes / 1440,
            waiting=round(inbox["pending"] + inbox["running"]),
            done=round(inbox["done"] + inbox["ignored"]),
        )
        print(
            f"| {sample.hour} | {sample.memory:.0f} | {sample.files} | {sample.threads} "
            f"| {sample.queue_age:.1f} | {sample.waiting} | {sample.done} |",
            flush=True,
        )
        return sample

    async def _wait_until_empty(self, http: httpx.AsyncClient) -> None:
        deadline = time.monotonic() + 3600
        while time.monotonic() < deadline:
            text = (await http.get(f"{self._service.url}/metrics")).text
            if 'issue_tagger_inbox{state="pending"} 0.0' in text:
                return
            await asyncio.sleep(1)
        raise SystemExit("not worked off an hour after the day's end")


STATES = ("pending", "running", "done", "failed", "ignored")


def _process(pid: int) -> tuple[float, int, int]:
    """Resident memory in MB, threads and open files of a process."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["Threads"]), files


def _conclude(samples: list[Sample], refused: int) -> None:
    """Compare the morning with the evening: what leaks has grown by then."""
    morning, evening = samples[4:8] or samples[:1], samples[-5:-1]

    def grown(value: Callable[[Sample], float]) -> str:
        first, last = (sum(map(value, part)) / len(part) for part in (morning, evening))
        return f"{first:.1f} → {last:.1f}"

    print(
        f"\nHours 5 to 8 → the last four: memory {grown(lambda one: one.memory)} MB, "
        f"open files {grown(lambda one: one.files)}, queue age "
        f"{grown(lambda one: one.queue_age)} s (real). Deliveries refused: {refused}."
    )


if __name__ == "__main__":
    main()
