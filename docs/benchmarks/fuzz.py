"""A million odd webhooks through the real endpoint: no 5xx, no exception, memory flat.

    python docs/benchmarks/fuzz.py --number 1000000

Each request goes through the FastAPI application: the body's limit, the signature, parsing, and
what the payload means. A share of those understood (`--stored`) goes on into the database, in a
transaction that is rolled back, so that the file does not grow. Prints Markdown; ends with 1 where
an answer is none of 202, 400, 401 and 413, or an exception comes through.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from mutations import Mutator

from bot.operations.metrics import Metrics
from bot.receiving.deliveries import keep
from bot.service.webhook import Webhook
from bot.simulator.state import GitHubState
from store.database import Store

if TYPE_CHECKING:
    from datetime import datetime

    from bot.receiving.deliveries import Received
    from bot.simulator.records import Delivery

SECRET = "benchmark"  # noqa: S105 - signs deliveries to ourselves
REPO = "acme/rocket"
BOT = "tagger[bot]"
EXPECTED = {"202", "400", "401", "413"}
REPORTS = 10


class Undone(Exception):
    """Ends a transaction that must leave nothing."""


class Sampled:
    """Stands where the service's intake does: stores a share, and takes it back."""

    def __init__(self, store: Store, share: float, seed: int) -> None:
        self._store = store
        self._share = share
        self._chance = random.Random(seed)
        self.stored = 0

    async def accept(self, received: Received) -> bool:
        if self._chance.random() >= self._share:
            return True
        self.stored += 1
        with suppress(Undone):
            self._store_and_undo(received)
        return True

    def _store_and_undo(self, received: Received) -> None:
        with self._store.begin() as work:
            keep(work, received, BOT)
            raise Undone


def main() -> None:
    """Run what the command line asks for."""
    wanted = _arguments()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/fuzz.db") as store:
        store.migrate()
        state = GitHubState()
        deliveries = _deliveries(state)
        with store.begin() as work:  # so that repository and issue are known to most of them
            for delivery in deliveries[:1]:
                keep(work, _understood(delivery, state.now()), BOT)
        intake = Sampled(store, wanted.stored, wanted.seed)
        app = _application(intake, state)
        mutator = Mutator(deliveries, SECRET, wanted.seed)
        print("| requests | answers | stored and taken back | RSS MB | requests/s |")
        print("|---|---|---|---|---|", flush=True)
        sys.exit(asyncio.run(_run(app, mutator, intake, wanted)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--number", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end by then")
    parser.add_argument("--stored", type=float, default=0.1, help="share that the database sees")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _application(intake: Sampled, state: GitHubState) -> FastAPI:
    from datetime import timedelta

    metrics = Metrics(timedelta(hours=24))
    webhook = Webhook(intake, lambda: (SECRET,), metrics, state.now, lambda *_: None)  # type: ignore[arg-type]
    app = FastAPI()
    app.include_router(webhook.router)
    return app


def _deliveries(state: GitHubState) -> list[Delivery]:
    """One of every kind that the service knows."""
    state.add_repository(REPO)
    state.add_label(REPO, "bug")
    app = state.create_app("tagger")
    state.install(app, REPO)
    state.open_issue(REPO, "It crashes", "at start", by="ada", labels=["bug"])
    state.edit_issue(REPO, 1, by="ada", title="It crashes at start")
    state.add_labels(REPO, 1, ["bug", "docs"], by="bob")
    state.remove_label(REPO, 1, "bug", by="ada")
    state.comment(REPO, 1, "/tagger why", by="ada")
    state.set_state(REPO, 1, "closed", by="ada")
    state.rename_label(REPO, "docs", "manual", by="ada")
    state.push_file(REPO, ".github/issue-tagger.yml", "mode: apply\n")
    state.open_issue(REPO, "Another", "x" * 5000, by="eve")
    state.delete_issue(REPO, 2, by="ada")
    state.rename_repository(REPO, "starship", by="ada")
    return sorted(state.deliveries, key=lambda one: one.event != "issues")


def _understood(delivery: Delivery, now: datetime) -> Received:
    from bot.receiving.deliveries import understand

    return understand(delivery.guid, delivery.event, delivery.payload, now)


async def _run(app: FastAPI, mutator: Mutator, intake: Sampled, wanted: argparse.Namespace) -> int:
    answers: Counter[str] = Counter()
    wrong, began, count = 0, time.perf_counter(), 0
    step, seconds = max(wanted.number // 10, 1), 0.0
    while count < wanted.number and seconds < wanted.seconds:
        body, headers = mutator.request()
        answer = await _ask(app, body, headers)
        answers[answer] += 1
        count, seconds = count + 1, time.perf_counter() - began
        if answer not in EXPECTED:
            wrong += 1
            if wrong <= REPORTS:
                print(f"request {count}: {answer}\n{headers}\n{body[:2000]!r}", file=sys.stderr)
        if count % step == 0:
            _report(count, answers, intake, seconds)
    if count % step:
        _report(count, answers, intake, seconds)
    print(f"\n{wrong} answers that should not be.")
    return 1 if wrong else 0


def _report(count: int, answers: Counter[str], intake: Sampled, seconds: float) -> None:
    told = ", ".join(f"{status}: {number}" for status, number in sorted(answers.items()))
    print(
        f"| {count} | {told} | {intake.stored} | {_rss():.0f} | {count / seconds:.0f} |", flush=True
    )


async def _ask(app: FastAPI, body: bytes, headers: dict[str, str]) -> str:
    """The answer's status, or the exception that came through."""
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/webhook", "raw_path": b"/webhook", "query_string": b"",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        "headers": [(k.encode(), v.encode("latin-1", "replace")) for k, v in headers.items()],
    }  # fmt: skip
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # whatever comes through is what is looked for here
        return f"{type(error).__name__}: {error}"[:300]
    return str(sent[0]["status"])


def _rss() -> float:
    """Resident memory in MB."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
