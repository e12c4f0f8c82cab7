"""How many deliveries a worker sees through, by how many it has in hand and how slow GitHub is.

    python docs/benchmarks/worker.py --at-once 1,8 --milliseconds 100

One worker on SQLite (every commit on the disk) against the stand-in in the same process, each
of whose answers is held back for so long; a release that takes 40 ms a call stands in for models.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bot.container import Container
from bot.jobs.delivery_queue import DeliveryLimits, DeliveryQueue
from bot.process.settings import load_settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from store.records import ReleaseRecord
from tagger.domain.decision import LabelDecision

if TYPE_CHECKING:
    from collections.abc import Sequence

REPO, TOKEN, LABEL = "acme/rocket", "ghp_0123456789abcdefghij", "bug"
MODEL_SECONDS = 0.04


class SlowRelease:
    """Applies one label to everything; a call takes as long as the bundled encoder's."""

    names = (LABEL,)

    def tag(self, issues: Sequence[Any], policy: Any = None) -> list[tuple[LabelDecision, ...]]:  # noqa: ARG002
        """One decision for each issue."""
        time.sleep(MODEL_SECONDS)
        decision = LabelDecision(LABEL, 0.95, 0.8, "apply", "words", {"words": 0.95}, ())
        return [(decision,) for _ in issues]

    def knows(self, number: int) -> bool:  # noqa: ARG002
        """It learns nothing."""
        return False

    def learn(self, *_: object) -> None:
        """It learns nothing."""


class Distant(httpx.AsyncBaseTransport):
    """The stand-in, as far away as GitHub."""

    def __init__(self, state: GitHubState, seconds: float) -> None:
        self._inner = SimulatorTransport(state)
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer late."""
        await asyncio.sleep(self._seconds)
        return await self._inner.handle_async_request(request)


def main() -> None:
    """Run what the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--at-once", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8]
    )
    parser.add_argument("--milliseconds", type=float, default=100.0)
    parser.add_argument("--deliveries", type=int, default=100)
    wanted = parser.parse_args()
    print("| in hand at once | deliveries | GitHub answers after | a second | processor, ms each |")
    print("|---|---|---|---|---|")
    for at_once in wanted.at_once:
        rate, busy = _measure(at_once, wanted.deliveries, wanted.milliseconds / 1000)
        print(
            f"| {at_once} | {wanted.deliveries} | {wanted.milliseconds:.0f} ms | {rate:.1f} "
            f"| {1000 * busy:.0f} |"
        )


def _measure(at_once: int, deliveries: int, seconds: float) -> tuple[float, float]:
    state = GitHubState(url="http://github.test")
    state.add_repository(REPO)
    state.add_token(TOKEN, "tagger-machine")
    state.set_role(REPO, "tagger-machine", "write")
    state.add_label(REPO, LABEL)
    state.push_file(REPO, ".github/issue-tagger.yml", "mode: apply\ndelay_seconds: 0\n")
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder),
            database_url=f"sqlite:///{folder}/worker.sqlite3",
            github_api_url="http://github.test",
            github_token=TOKEN,
        )
        installation = Container(
            settings,
            transport=Distant(state, seconds),
            open_release=lambda _: SlowRelease(),  # type: ignore[arg-type,return-value]
        )
        installation.store.migrate()
        _fill(installation, state, deliveries)
        began, busy = time.perf_counter(), time.process_time()
        asyncio.run(_work(installation, at_once, deliveries))
        taken, busy = time.perf_counter() - began, time.process_time() - busy
        installation.close()
    return deliveries / taken, busy / deliveries


def _fill(installation: Container, state: GitHubState, deliveries: int) -> None:
    now = installation.clock()
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=now)
        work.releases.add(repository.id, ReleaseRecord("r1", now, "r1", "digest", {}))
        work.releases.promote(repository.id, "r1", now)
        for number in range(deliveries):
            sent = state.open_issue(REPO, f"a bug {number}")
            keep(work, understand(sent.guid, sent.event, sent.payload, now), None)


async def _work(installation: Container, at_once: int, deliveries: int) -> None:
    context = installation.context()
    worker = DeliveryQueue(context, pace=DeliveryLimits(at_once=at_once))

    async def stop_when_done() -> None:
        while True:
            await asyncio.sleep(0.1)
            with installation.store.read() as work:
                if work.inbox.counts()["done"] == deliveries:
                    return worker.stop()

    async with asyncio.TaskGroup() as group:
        group.create_task(stop_when_done())
        group.create_task(worker.run())
    if context.access is not None:
        await context.access.aclose()


if __name__ == "__main__":
    main()
