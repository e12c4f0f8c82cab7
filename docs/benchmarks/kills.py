"""kill -9 in the middle of everything, again and again: what is lost, what is done twice?

    python docs/benchmarks/kills.py --database sqlite
    python docs/benchmarks/kills.py --database postgresql+psycopg://root@127.0.0.1:5432/kills

Runs the real service in processes of its own against the stand-in, whose record of label events is
the judge. SQLite: one `serve` that tags too. PostgreSQL (the database is emptied): a `serve` that
only takes in, and three workers, of which the first one that is killed never comes back. What
was answered with anything but 202 is sent again, as a person would redeliver it. A release that
reads labels off titles stands in for models. Ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bot.container import Container
from bot.demo.service import free_port
from bot.jobs.delivery_queue import DeliveryLimits, DeliveryQueue
from bot.process.logs import set_up_logs
from bot.process.settings import environment_of, load_settings
from bot.simulator.faults import RequestBudget
from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from bot.simulator.webhooks import body_of, headers_of
from store.database import Store
from store.records import ReleaseRecord
from tagger.domain.decision import LabelDecision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.process.settings import Settings
    from bot.receiving.handler_context import Ending, HandlerContext
    from bot.simulator.records import Delivery
    from store.records import ClaimedDelivery

REPO, TOKEN, SECRET, LABEL = "acme/rocket", "ghp_0123456789abcdefghij", "benchmark", "bug"
CONFIGURATION = """mode: apply
delay_seconds: 0
learning: {audit_share: 0, weekly_suggestions: 0} # on an issue that chance draws nothing is set
"""
PACE = DeliveryLimits(
    lease=timedelta(seconds=30), poll=timedelta(seconds=0.1), sweep=timedelta(seconds=1), at_once=4
)
PATIENCE = 3600.0
WITNESS = "KILLS_WITNESS"


class WordRelease:
    """Applies the label where the title says its name; slow enough that kills find work in hand."""

    names = (LABEL,)

    def tag(self, issues: Sequence[Any], policy: Any = None) -> list[tuple[LabelDecision, ...]]:  # noqa: ARG002
        """One decision for each issue."""
        time.sleep(0.005)
        return [
            (LabelDecision(LABEL, 0.95, 0.8, "apply", "words", {"words": 0.95}, ()),)
            for _ in issues
        ]

    def knows(self, number: int) -> bool:  # noqa: ARG002
        """It learns nothing."""
        return False

    def learn(self, *_: object) -> None:
        """It learns nothing."""


def child(role: str) -> None:
    """The real service or worker, with the release above and a witness of who works on what."""
    import bot.jobs.worker_pool
    from bot.jobs.delivery_handlers import handle
    from bot.service.serving import run_worker, serve

    file = Path(f"{_environment()[WITNESS]}.{os.getpid()}").open("a", buffering=1)  # noqa: SIM115

    async def watched(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
        file.write(json.dumps(["begin", claim.issue_number, claim.guid, time.monotonic()]) + "\n")
        try:
            return await handle(context, claim)
        finally:
            file.write(json.dumps(["end", claim.issue_number, claim.guid, time.monotonic()]) + "\n")

    # a crew makes its workers by this name
    vars(bot.jobs.worker_pool)["DeliveryQueue"] = partial(DeliveryQueue, job=watched)
    settings = load_settings()
    set_up_logs(settings.log_format, settings.secrets(), logging.INFO)
    installation = Container(settings, open_release=lambda _: WordRelease())  # type: ignore[arg-type,return-value]
    if role == "work":
        run_worker(installation, pace=PACE)
    else:
        serve(installation, pace=PACE, worker=role == "serve")


def _environment() -> dict[str, str]:
    return dict(os.environ)


@dataclass
class Site:
    """The processes, when each was killed, and who never comes back."""

    settings: Settings
    roles: dict[str, str]
    folder: Path
    one_stays_dead: bool
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: dict[int, float] = field(default_factory=dict)
    dead: str = ""

    def start(self, name: str) -> None:
        """Start one process."""
        environment = environment_of(self.settings) | {WITNESS: str(self.folder / "witness")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, __file__, "--role", self.roles[name]],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def kill(self, chance: random.Random) -> None:
        """Kill one at random, and start it again unless it is the one that stays dead."""
        name = chance.choice(sorted(self.running))
        process = self.running.pop(name)
        process.kill()
        process.wait()
        self.killed[process.pid] = time.monotonic()
        if self.one_stays_dead and not self.dead and self.roles[name] == "work":
            self.dead = name
        else:
            self.start(name)

    def restart_ended(self) -> None:
        """Start again what ended by itself, as systemd would, and say so."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                print(f"{name} ended with {process.returncode}", file=sys.stderr)
                self.killed[process.pid] = time.monotonic()
                self.start(name)

    def end(self) -> None:
        """End all."""
        for process in self.running.values():
            process.kill()
            process.wait()

    def overlaps(self) -> int:
        """How often two had the same issue in hand at the same moment."""
        spans: dict[int, list[tuple[float, float]]] = {}
        for file in self.folder.glob("witness.*"):
            pid = int(file.suffix[1:])
            open_since: dict[tuple[int, str], list[float]] = {}
            for line in file.read_text("utf-8").splitlines():
                what, number, guid, at = json.loads(line)
                if what == "begin":
                    open_since.setdefault((number, guid), []).append(at)
                else:
                    since = open_since[number, guid].pop(0)
                    spans.setdefault(number, []).append((since, at))
            for (number, _), began in open_since.items():
                spans.setdefault(number, []).extend((since, self.killed[pid]) for since in began)
        return sum(
            later[0] < earlier[1]
            for found in spans.values()
            for earlier, later in zip(sorted(found), sorted(found)[1:], strict=False)
        )


def main() -> None:
    """Run what the command line describes."""
    wanted = _arguments()
    if wanted.role:
        child(wanted.role)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlite = wanted.database == "sqlite"
        url = f"sqlite:///{folder}/kills.sqlite3" if sqlite else wanted.database
        state = _github()
        with serving(state) as github, Store(url) as store:
            settings = load_settings(
                data_dir=folder,
                database_url=url,
                github_api_url=github,
                github_token=TOKEN,
                webhook_secret=SECRET,
                port=free_port(),
            )
            if not sqlite:
                store.migrate("base")
            store.migrate()
            _promote(store, state)
            roles = {"serve": "serve"} if sqlite else {"serve": "take in"}
            roles |= {} if sqlite else dict.fromkeys(("work-1", "work-2", "work-3"), "work")
            site = Site(settings, roles, folder, one_stays_dead=not sqlite)
            try:
                missed = _run(site, store, state, wanted)
            finally:
                site.end()
    sys.exit(1 if missed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--database", default="sqlite", help="sqlite, or a PostgreSQL URL")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--role", choices=["serve", "take in", "work"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _github() -> GitHubState:
    state = GitHubState()
    state.add_repository(REPO)
    state.add_token(TOKEN, "tagger-machine")
    # 2,000 deliveries are 10,000 requests: more than GitHub gives a token in an hour
    state.budgets["tagger-machine"] = RequestBudget(limit=10**6, remaining=10**6)
    state.set_role(REPO, "tagger-machine", "write")
    state.add_label(REPO, LABEL)
    state.push_file(REPO, ".github/issue-tagger.yml", CONFIGURATION)
    return state


def _promote(store: Store, state: GitHubState) -> None:
    now = state.now()
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=now)
        work.releases.add(repository.id, ReleaseRecord("r1", now, "r1", "digest", {}))
        work.releases.promote(repository.id, "r1", now)


def _run(site: Site, store: Store, state: GitHubState, wanted: argparse.Namespace) -> bool:
    chance = random.Random(wanted.seed)
    deliveries = _deliveries(state, wanted.deliveries, chance)
    moments = sorted(chance.uniform(0.02, 0.98) * len(deliveries) for _ in range(wanted.kills))
    for name in site.roles:
        site.start(name)
    began = time.monotonic()
    sender = threading.Thread(target=lambda: asyncio.run(_send(site.settings, deliveries)))
    sender.start()
    kills = 0
    while True:
        with store.read() as work:
            counts = work.inbox.counts()
        if kills < wanted.kills and counts["done"] >= moments[kills]:
            time.sleep(chance.uniform(0.0, 0.5))
            site.kill(chance)
            kills += 1
        site.restart_ended()
        if counts["done"] + counts["failed"] + counts["ignored"] >= len(deliveries):
            break
        if time.monotonic() - began > PATIENCE:
            print(f"not done after {PATIENCE:.0f} s: {counts}", file=sys.stderr)
            break
        time.sleep(0.1)
    sender.join(10)
    return _report(site, store, state, deliveries, kills, time.monotonic() - began)


def _deliveries(state: GitHubState, number: int, chance: random.Random) -> list[Delivery]:
    """Issues opened, and a fifth of them edited right afterwards."""
    found: list[Delivery] = []
    while len(found) < number:
        opened = state.open_issue(REPO, f"a bug, the {len(found)}th")
        found.append(opened)
        if len(found) < number and chance.random() < 0.2:
            issue = opened.payload["issue"]["number"]
            found.append(state.edit_issue(REPO, issue, by="ada", title=f"a bug, {issue} again"))
    return found


async def _send(settings: Settings, deliveries: Sequence[Delivery]) -> None:
    """Send each until it is accepted, ten at a time."""
    waiting = list(reversed(deliveries))

    async def one_after_the_other(http: httpx.AsyncClient) -> None:
        while waiting:
            delivery = waiting.pop()
            body = body_of(delivery)
            while not await _accepted(http, body, headers_of(delivery, body, SECRET)):  # noqa: ASYNC110 - nobody tells when the service is back
                await asyncio.sleep(0.2)

    url = f"http://127.0.0.1:{settings.port}"
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as http, asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(one_after_the_other(http))


async def _accepted(http: httpx.AsyncClient, body: bytes, headers: Any) -> bool:
    try:
        return (await http.post("/webhook", content=body, headers=headers)).status_code == 202
    except httpx.TransportError:
        return False


def _report(
    site: Site,
    store: Store,
    state: GitHubState,
    deliveries: Sequence[Delivery],
    kills: int,
    seconds: float,
) -> bool:
    with store.read() as work:
        found = [work.inbox.find(delivery.guid) for delivery in deliveries]
        predictions = work.predictions.count()
    lost = sum(one is None or one.state != "done" for one in found)
    numbers = {delivery.payload["issue"]["number"] for delivery in deliveries}
    events = {number: state.issue(REPO, number).events for number in numbers}
    times = [sum(event.event == "labeled" for event in found) for found in events.values()]
    repeated = sum(one is not None and one.attempts > 1 for one in found)
    twice, missing, overlaps = sum(n > 1 for n in times), sum(n < 1 for n in times), site.overlaps()
    kind = "SQLite, one process" if store.is_sqlite else "PostgreSQL, `serve` and three workers"
    print(
        "| database | deliveries | kills | lost | issues without their label | labels set twice "
        "| two at once on an issue | begun again | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {kind} | {len(deliveries)} | {kills} | {lost} | {missing} | {twice} | {overlaps} "
        f"| {repeated} | {seconds:.0f} |"
    )
    print(f"\n{predictions} predictions; {site.dead or 'none'} stayed dead.")
    return bool(lost or missing or twice or overlaps)


if __name__ == "__main__":
    main()
