"""How fast pages are answered, and what they cost the webhooks, with many issues in the store.

    python docs/benchmarks/pages.py --issues 50000 [--repositories 100] [--database URL]

Fills a database with invented issues, predictions, suggestions and answers, serves it, and asks for
each page in turn; then sends webhooks at a steady rate, alone and while pages are asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn

from bot.container import build
from bot.demo.service import free_port
from bot.github.signature import sign
from bot.process.settings import load_settings
from bot.service.app import create_app
from bot.service.connections import BoundedConnection
from bot.signin.one_time_link import OneTimeLink
from store.records import (
    IssueRecord,
    LabelRecord,
    PredictedLabel,
    PredictionRecord,
    ReleaseRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.container import Container
    from store.records import WriteForm

LABELS = tuple(f"label {number}" for number in range(12))
PREDICTED = 20
"""Every so-manyth issue has a prediction, spread over half a year."""
SECRET = "benchmark"  # noqa: S105 - of nothing


def main() -> None:
    """Prints a line a page, then the webhooks'."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=50_000)
    parser.add_argument("--repositories", type=int, default=100)
    parser.add_argument("--database")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = arguments.database or f"sqlite:///{Path(folder) / 'pages.db'}"
        settings = load_settings(
            data_dir=Path(folder), database_url=database, webhook_secret=SECRET, github_token=None
        )
        container = build(settings)
        container.store.migrate()
        began = time.perf_counter()
        fill(container, arguments.issues, arguments.repositories)
        print(
            f"{arguments.issues:,} issues stored in {time.perf_counter() - began:.0f} s", flush=True
        )
        link = OneTimeLink()
        with served(container, link) as address:
            token = link.renew(container.clock())
            looked_at = tuple(pages(arguments.repositories))
            asyncio.run(measure(address, token, looked_at, (arguments.times, arguments.seconds)))


def fill(container: Container, issues: int, repositories: int) -> None:
    """The first repository has half of the issues, the others share the rest."""
    now = datetime.now(UTC)
    rest = issues // 2 // max(repositories - 1, 1)
    for place in range(repositories):
        with container.store.begin() as work:
            repository = work.repositories.get_or_create(f"bench/repo{place:03}", now=now)
            work.labels.upsert(repository.id, [LabelRecord(name) for name in LABELS], now=now)
            manifest = {"labels": [], "n_issues": 100}
            record = ReleaseRecord("r1", now, "bench/r1", "digest", manifest)
            work.releases.add(repository.id, record)
            work.releases.promote(repository.id, "r1", now)
        count = issues // 2 if place == 0 else rest
        for numbers in parts(count):
            with container.store.begin() as work:
                work.issues.upsert(repository.id, [_issue(number, now) for number in numbers])
                run = work.writes.open_run(repository.id, "backfill", now)
                for number in numbers:
                    if number % PREDICTED == 0:
                        work.predictions.record(_prediction(repository.id, number, count, now))
                        form: WriteForm = "label" if number % (3 * PREDICTED) else "suggestion"
                        (write,) = work.writes.intend(run.id, number, LABELS[:1], now, form=form)
                        work.writes.mark(write.id, "written", now)


def parts(count: int, size: int = 2000) -> Iterator[list[int]]:
    """Numbers from 1 on, some at a time."""
    numbers = iter(range(1, count + 1))
    while some := list(islice(numbers, size)):
        yield some


def _issue(number: int, now: datetime) -> IssueRecord:
    label = LABELS[number % len(LABELS)]
    filed = now - timedelta(minutes=number)
    title = f"Something about part {number} of {label} does not do what it says"
    return IssueRecord(number, title, "It should. " * 30, (label,) if number % 2 else (), filed)


def _prediction(repository_id: int, number: int, count: int, now: datetime) -> PredictionRecord:
    neighbours = [
        {"number": 1 + (number + step) % count, "title": "Another one like it", "similarity": 0.6,
         "labels": [LABELS[step % len(LABELS)]]}
        for step in range(4)
    ]  # fmt: skip
    labels = tuple(
        PredictedLabel(
            name, 0.95 - 0.07 * place, 0.8, "apply" if place < 1 else "abstain", "linear",
            {"linear": 0.9, "knn": 0.8}, tuple(neighbours), None, "set" if place < 1 else "none",
        )
        for place, name in enumerate(LABELS)
    )  # fmt: skip
    at = now - timedelta(days=180 * (count - number) / count)
    return PredictionRecord(repository_id, number, "r1", at, "apply", labels)


class served:  # noqa: N801 - reads as a verb where it is used
    """The service on a port of this machine while the block runs."""

    def __init__(self, container: Container, link: OneTimeLink) -> None:
        self._port = free_port()
        app = create_app(container, worker=False, link=link)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self._port, log_config=None, access_log=False,
            http=BoundedConnection, ws="none",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        return f"http://127.0.0.1:{self._port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@dataclass(frozen=True)
class PageToMeasure:
    """A page by its name and path."""

    name: str
    path: str


def pages(repositories: int) -> Iterator[PageToMeasure]:
    """The list, and what there is of the first repository and of the last."""
    yield PageToMeasure("repositories", "/")
    for name in ("repo000", f"repo{repositories - 1:03}"):
        base = f"/r/bench/{name}"
        yield PageToMeasure(f"Today {name}", base)
        yield PageToMeasure(f"Today {name}, thirty days", f"{base}?days=30")
        yield PageToMeasure(f"Why {name}", f"{base}/why/5")
        yield PageToMeasure(f"Try {name}", f"{base}/try")
        yield PageToMeasure(f"Releases {name}", f"{base}/releases")


async def measure(
    address: str, token: str, looked_at: Sequence[PageToMeasure], size: tuple[int, float]
) -> None:
    """Each page so many times; then webhooks for so many seconds, alone and beside pages."""
    times, seconds = size
    async with httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=60) as browser:
        await browser.get(f"/signin/once?token={token}")
        everything: list[float] = []
        for page in looked_at:
            durations = [await timed(browser, page.path) for _ in range(times)]
            everything += durations
            median, high = statistics.median(durations), sorted(durations)[int(0.95 * times)]
            print(f"{page.name:28} median {1000 * median:6.1f} ms, 95th {1000 * high:6.1f} ms")
        print(f"{'all pages':28} median {1000 * statistics.median(everything):6.1f} ms")
        alone = await webhooks(address, seconds)
        stop = asyncio.Event()
        asking = asyncio.create_task(browse(browser, looked_at, stop))
        beside = await webhooks(address, seconds)
        stop.set()
        count = await asking
        pace = f"{count / seconds:.0f} pages a second"
        print(f"webhooks' 99th percentile: {alone:.1f} ms alone, {beside:.1f} ms beside {pace}")


async def timed(browser: httpx.AsyncClient, path: str) -> float:
    began = time.perf_counter()
    answer = await browser.get(path)
    answer.raise_for_status()
    return time.perf_counter() - began


async def browse(
    browser: httpx.AsyncClient, looked_at: Sequence[PageToMeasure], stop: asyncio.Event
) -> int:
    """One person who reads half a second long."""
    count = 0
    while not stop.is_set():
        for page in looked_at:
            await timed(browser, page.path)
            count += 1
            await asyncio.sleep(0.1)
    return count


async def webhooks(address: str, seconds: float, rate: float = 40.0) -> float:
    """The 99th percentile of so many a second, in milliseconds."""
    durations: list[float] = []
    async with httpx.AsyncClient(base_url=address, timeout=30) as github:
        began, number = time.perf_counter(), 0
        sending: set[asyncio.Task[None]] = set()
        while time.perf_counter() - began < seconds:
            number += 1
            sending.add(asyncio.create_task(_deliver(github, f"{began}-{number}", durations)))
            await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
        await asyncio.gather(*sending)
    return 1000 * sorted(durations)[int(0.99 * len(durations))]


async def _deliver(github: httpx.AsyncClient, guid: str, durations: list[float]) -> None:
    issue = {"number": 1, "id": 1, "title": "A title", "body": "It should. " * 200, "labels": []}
    body = json.dumps(
        {"action": "edited", "issue": issue, "repository": {"full_name": "bench/repo001", "id": 7}}
    ).encode()
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": sign(body, SECRET),
    }
    began = time.perf_counter()
    answer = await github.post("/webhook", content=body, headers=headers)
    answer.raise_for_status()
    durations.append(time.perf_counter() - began)


if __name__ == "__main__":
    main()
