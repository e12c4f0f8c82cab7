"""Does a repository that GitHub limits hold another up? From webhook to label, alone and beside it.

    python docs/benchmarks/turns.py
    python docs/benchmarks/turns.py --server postgresql+psycopg://postgres@127.0.0.1:5432/postgres

One worker, an App with two installations, and the stand-in in the same process, each of whose
answers is held back for `--milliseconds`. First a repository gets `--issues` issues, `--rate` a
second, alone; then as many again while GitHub answers another one with 403 and `Retry-After: 3600`
and `--waiting` of that one's deliveries wait. On PostgreSQL a database of its own is made and
dropped again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import create_engine, make_url, text
from worker import LABEL, SlowRelease

from bot.container import Container
from bot.jobs.delivery_queue import TAGGING, DeliveryLimits, DeliveryQueue
from bot.process.settings import load_settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from store.records import ReleaseRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.jobs.queues import JobSource
    from bot.simulator.records import Delivery

LIMITED, OTHER = "loud/rocket", "quiet/boat"
DATABASE = "turns_trial"
LIMIT = {"message": "You have exceeded a secondary rate limit. Please wait."}


class Watched(httpx.AsyncBaseTransport):
    """The stand-in, as far away as GitHub, which limits one repository when told to.

    :ivar labelled: by path of the issue, when its label was set.
    :ivar refused: how often the limited repository was asked about all the same.
    """

    def __init__(self, state: GitHubState, seconds: float) -> None:
        self._inner = SimulatorTransport(state)
        self._seconds = seconds
        self.limiting = False
        self.labelled: dict[str, float] = {}
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer late."""
        await asyncio.sleep(self._seconds)
        path = request.url.path
        if self.limiting and path.startswith(f"/repos/{LIMITED}/"):
            self.refused += 1
            return httpx.Response(403, json=LIMIT, headers={"retry-after": "3600"})
        response = await self._inner.handle_async_request(request)
        if request.method == "POST" and path.endswith("/labels"):
            self.labelled[path.removesuffix("/labels")] = time.perf_counter()
        return response


class Trial:
    """An installation with two repositories in it."""

    def __init__(self, database_url: str, folder: str, milliseconds: float) -> None:
        self.github = GitHubState(url="http://github.test")
        self.transport = Watched(self.github, milliseconds / 1000)
        app = self.github.create_app("issue-tagger")
        for repository in (LIMITED, OTHER):
            self.github.add_repository(repository)
            self.github.add_label(repository, LABEL)
            text = "mode: apply\ndelay_seconds: 0\n"
            self.github.push_file(repository, ".github/issue-tagger.yml", text)
            self.github.install(app, repository)
        for budget in ("issue-tagger[bot]",):
            self.github.budget(budget).remaining = 10**6
        settings = load_settings(
            data_dir=Path(folder),
            database_url=database_url,
            github_api_url="http://github.test",
            github_app_id=app.id,
            github_private_key=app.private_key,
        )
        self.installation = Container(
            settings,
            transport=self.transport,
            open_release=lambda _: SlowRelease(),  # type: ignore[arg-type,return-value]
        )
        self.installation.store.migrate()
        now = self.installation.clock()
        with self.installation.store.begin() as work:
            for number, name in enumerate((LIMITED, OTHER)):
                known = work.repositories.get_or_create(name, now=now)
                release = ReleaseRecord(f"r{number}", now, f"r{number}", "digest", {})
                work.releases.add(known.id, release)
                work.releases.promote(known.id, release.id, now)

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Store deliveries as the service does."""
        now = self.installation.clock()
        with self.installation.store.begin() as work:
            for one in deliveries:
                keep(work, understand(one.guid, one.event, one.payload, now), None)

    async def measure(self, issues: int, rate: float) -> list[float]:
        """Milliseconds from webhook to label, for so many issues at this rate."""
        jobs = self.installation.jobs(DeliveryLimits())
        worker = DeliveryQueue(self.installation.context())
        running = asyncio.create_task(jobs.run([worker]))
        await asyncio.sleep(2)
        opened = await self._send(jobs, issues, rate)
        while not opened.keys() <= self.transport.labelled.keys():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
        worker.stop()
        await running
        jobs.close()
        if worker._context.access is not None:
            await worker._context.access.aclose()
        return [1000 * (self.transport.labelled[path] - sent) for path, sent in opened.items()]

    async def _send(self, jobs: JobSource, issues: int, rate: float) -> dict[str, float]:
        opened: dict[str, float] = {}
        began = time.perf_counter()
        for place in range(issues):
            await asyncio.sleep(max(began + place / rate - time.perf_counter(), 0.0))
            delivery = self.github.open_issue(OTHER, f"a bug {place}")
            path = f"/repos/{OTHER}/issues/{delivery.payload['issue']['number']}"
            opened[path] = time.perf_counter()
            await asyncio.to_thread(self.receive, [delivery])
            jobs.put(TAGGING, delivery.guid)
        return opened


def main() -> None:
    """Run what the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--server", help="PostgreSQL; without it SQLite is used")
    parser.add_argument("--issues", type=int, default=300)
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--waiting", type=int, default=5000)
    parser.add_argument("--milliseconds", type=float, default=50.0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _database(wanted.server, folder) as url:
        trial = Trial(url, folder, wanted.milliseconds)
        asyncio.run(trial.measure(20, wanted.rate))  # to be warm
        alone = asyncio.run(trial.measure(wanted.issues, wanted.rate))
        opened = [trial.github.open_issue(LIMITED, f"a bug {n}") for n in range(wanted.waiting)]
        trial.receive(opened)
        trial.transport.limiting = True
        beside = asyncio.run(trial.measure(wanted.issues, wanted.rate))
        trial.installation.close()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{make_url(url).get_backend_name()}; load average {load}\n")
    print("| the other repository | issues | median ms | p95 ms | p99 ms | max ms |")
    print("|---|---|---|---|---|---|")
    _report("alone", alone)
    _report(f"beside {wanted.waiting} deliveries of a limited one", beside)
    ratio = _quantile(sorted(beside), 0.99) / _quantile(sorted(alone), 0.99)
    print(f"\np99 beside / alone: {ratio:.2f}; the limited one was asked about ", end="")
    print(f"{trial.transport.refused} times")


@contextlib.contextmanager
def _database(server: str | None, folder: str) -> Iterator[str]:
    if server is None:
        yield f"sqlite:///{folder}/turns.sqlite3"
        return
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    try:
        yield make_url(server).set(database=DATABASE).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {DATABASE} WITH (FORCE)"))
        admin.dispose()


def _report(which: str, milliseconds: Sequence[float]) -> None:
    ordered = sorted(milliseconds)
    shown = [f"{_quantile(ordered, share):.0f}" for share in (0.5, 0.95, 0.99)]
    print(f"| {which} | {len(ordered)} | {' | '.join(shown)} | {ordered[-1]:.0f} |")


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(round(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    main()
