"""How fast webhooks are answered while the worker tags: the real service, signed, at a rate.

    python docs/benchmarks/webhook.py --rate 100 --seconds 60 --probot FOLDER

Trains on the invented repository, starts `issue-tagger serve` in a process of its own against the
stand-in (on SQLite, every commit on the disk), posts at a steady rate from another process whether
or not answers come, waits until everything is tagged, and counts the predictions. Prints Markdown.

Before that, probot gets the same deliveries at the same rate and does nothing about them. FOLDER
is one in which `npm install probot` was run; without it or node the row is left out, and says so.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from peer_probot import probot_running

from bot.container import build
from bot.demo import stage
from bot.demo.material import from_sample
from bot.demo.service import free_port, running
from bot.learning.retraining import RetrainRequest, retrain
from bot.process.settings import load_settings
from bot.repositories.importing import import_rows
from bot.simulator.faults import RequestBudget
from bot.simulator.server import serving
from bot.simulator.webhooks import body_of, headers_of
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.container import Container
    from bot.demo.material import Material
    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState

SECRET = "benchmark"  # noqa: S105 - signs deliveries to ourselves
PATIENCE = 7200.0

Signed = tuple[bytes, "Mapping[str, str]"]


@dataclass(frozen=True)
class Answer:
    """One delivery's answer; `seconds` from the moment at which it was due to be sent."""

    status: int
    seconds: float


def main() -> None:
    """Run the benchmark that the command line describes."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder),
            database_url=f"sqlite:///{folder}/issue-tagger.sqlite3",
            github_token=stage.TOKEN,
            webhook_secret=SECRET,
            host="127.0.0.1",
            port=free_port(),
        )
        installation = build(settings)
        material = from_sample(silent)
        learn(installation, material, wanted.strategies)
        state = stage.set_up(material.repository, material.labels)
        # four requests an issue: GitHub's 5,000 an hour would end this after some 1,150 issues
        state.budgets[stage.BOT] = RequestBudget(limit=10**6, remaining=10**6)
        with serving(state) as url:
            settings = settings.model_copy(update={"github_api_url": url})
            deliveries = _deliveries(state, material, wanted)
            signed = [(body := body_of(one), headers_of(one, body, SECRET)) for one in deliveries]
            distinct = len({one.guid for one in deliveries})
            _tell_conditions(len(deliveries), distinct)
            _beside(signed, wanted)
            log = wanted.log or Path(folder) / "serve.log"
            with running(settings, log) as service:
                answers, sent = posted(f"{service.url}/webhook", signed, wanted.rate)
                _report("issue-tagger, tagging meanwhile", answers, sent)
                drained = wait_until_tagged(installation, service)
        _report_tagged(drained, distinct, installation)
        installation.close()


def _tell_conditions(deliveries: int, distinct: int) -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{deliveries} deliveries, {deliveries - distinct} of them repeats; load average {load}\n"
    )
    print("| receiver | rate/s | accepted | median ms | p95 ms | p99 ms | max ms |")
    print("|---|---|---|---|---|---|---|", flush=True)


def _beside(signed: Sequence[Signed], wanted: argparse.Namespace) -> None:
    """The same deliveries to probot, where there is one."""
    with probot_running(wanted.probot, SECRET, free_port()) as probot:
        if probot.url is None:
            print(f"| probot: left out, {probot.why} | | | | | | |", flush=True)
            return
        answers, sent = posted(probot.url, signed, wanted.rate)
        _report(f"probot {probot.version}, doing nothing", answers, sent)


def posted(url: str, signed: Sequence[Signed], rate: float) -> tuple[list[Answer], float]:
    """Post from a process of its own: the stand-in's work here must not delay the clock's hand."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as sender:
        return sender.submit(_post_all, url, list(signed), rate).result()


def _post_all(url: str, signed: list[Signed], rate: float) -> tuple[list[Answer], float]:
    return asyncio.run(_post(url, signed, rate))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=50.0, help="deliveries a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=float, default=0.2, help="share sent a second time")
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--probot", type=Path, default=None, help="where probot is installed")
    parser.add_argument("--log", type=Path, default=None, help="where the service's log goes")
    return parser.parse_args()


def learn(installation: Container, material: Material, strategies: list[str] | None) -> None:
    now = installation.clock()
    installation.store.migrate()
    import_rows(installation.store, material.repository, material.known, material.labels, now=now)
    request = RetrainRequest(material.repository, strategies=strategies)
    retrain(installation.workspace(), request)


def _deliveries(
    state: GitHubState, material: Material, wanted: argparse.Namespace
) -> list[Delivery]:
    """Issues opened with the invented texts, each a little different, and some of them twice."""
    chance = random.Random(wanted.seed)
    total = round(wanted.rate * wanted.seconds)
    repeated = round(total * wanted.repeats)
    texts = [row.record for row in material.known if not row.record.is_pull_request]
    first = max(record.number for record in texts) + 1000
    opened = []
    for number in range(first, first + total - repeated):
        text = chance.choice(texts)
        row = {
            "number": number,
            "title": f"{text.title} ({number})",
            "body": text.body,
            "user": {"login": "reporter"},
            "created_at": state.now().isoformat(),
        }
        opened.append(_open(state, material.repository, row))
    sent = opened + chance.sample(opened, repeated)
    chance.shuffle(sent)
    return sent


def _open(state: GitHubState, repository: str, row: dict[str, object]) -> Delivery:
    from bot.simulator.wire import issue_json

    with state.lock:
        record = state.import_issue(repository, row)
        there = state.repository(repository)
        content = {"action": "opened", "issue": issue_json(there, record, state.url)}
        return state.emit("issues", "reporter", there, content)


async def _post(url: str, signed: Sequence[Signed], rate: float) -> tuple[list[Answer], float]:
    """Post at a steady rate, whether or not earlier ones were answered; GitHub does not wait."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(limits=limits, timeout=30.0) as http:
        began = time.perf_counter()
        posting = [
            asyncio.create_task(_post_at(http, url, began + i / rate, body, headers))
            for i, (body, headers) in enumerate(signed)
        ]
        answers = list(await asyncio.gather(*posting))
        return answers, time.perf_counter() - began


async def _post_at(
    http: httpx.AsyncClient, url: str, moment: float, body: bytes, headers: Mapping[str, str]
) -> Answer:
    await asyncio.sleep(max(moment - time.perf_counter(), 0.0))
    answer = await http.post(url, content=body, headers=headers)
    return Answer(answer.status_code, time.perf_counter() - moment)


def wait_until_tagged(installation: Container, service: object) -> float:
    """Seconds from now until nothing is left to do."""
    began = time.perf_counter()
    while True:
        service.check_alive()  # type: ignore[attr-defined]
        with installation.store.read() as work:
            counts = work.inbox.counts()
        if counts["pending"] + counts["running"] == 0:
            return time.perf_counter() - began
        if time.perf_counter() - began > PATIENCE:
            raise SystemExit(f"not tagged after {PATIENCE:.0f} s: {counts}")
        time.sleep(0.5)


def _report(receiver: str, answers: Sequence[Answer], sent: float) -> None:
    taken = sorted(1000 * answer.seconds for answer in answers)
    accepted = sum(200 <= answer.status < 300 for answer in answers)
    print(
        f"| {receiver} | {len(answers) / sent:.0f} | {accepted} | {statistics.median(taken):.1f} "
        f"| {quantile(taken, 0.95):.1f} | {quantile(taken, 0.99):.1f} | {taken[-1]:.1f} |",
        flush=True,
    )


def _report_tagged(drained: float, distinct: int, installation: Container) -> None:
    with installation.store.read() as work:
        predictions, counts = work.predictions.count(), work.inbox.counts()
    print(
        f"\n{predictions} predictions of {distinct} distinct deliveries; inbox {counts}; "
        f"all tagged {drained:.1f} s after the last answer."
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(round(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    main()
