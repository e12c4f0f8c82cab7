"""Kill `issue-tagger sync` in the middle, as often as asked, and see what the last one leaves.

    python docs/benchmarks/sync.py --issues 5000 --kills 3

A stand-in for GitHub serves invented issues, each with a label that a person set. Each sync but the
last is ended by SIGKILL once it has sent a share of the requests that a whole one needs. Exit
status 0: complete, no issue twice, and a further sync asks conditionally only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from store.database import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

REPO = "octo/lab"
PER_PAGE = 100


@dataclass(frozen=True)
class Outcome:
    """What was left behind.

    :ivar killed_after: issues stored at each kill.
    :ivar issues, acts: rows in the database at the end; `distinct`: different issue numbers.
    :ivar seconds: of the sync that was not killed, and of the one after it.
    :ivar requests: of the whole sync after the kills, and of the one after it.
    :ivar unconditional: requests of the last sync without an ETag.
    :ivar statuses: of the last sync's answers.
    """

    killed_after: tuple[int, ...]
    issues: int
    distinct: int
    acts: int
    seconds: tuple[float, float]
    requests: tuple[int, int]
    unconditional: int
    statuses: tuple[int, ...]


def measure(issues: int, kills: int, folder: Path) -> Outcome:
    """Sync with kills in between, then once to the end, then once more."""
    state = github(issues)
    whole = 2 * -(-issues // PER_PAGE)
    with serving(state) as url:
        environment = settings(url, folder)
        killed_after = []
        for number in range(kills):
            with syncing(environment) as process:
                share = len(state.requests) + (number + 1) * whole // (2 * (kills + 1))
                while len(state.requests) < share and process.poll() is None:
                    time.sleep(0.002)
                process.kill()
            killed_after.append(stored(environment)[0])
        timings, requests = [], []
        for _ in range(2):
            state.requests.clear()
            began = time.perf_counter()
            with syncing(environment) as process:
                status = process.wait()
            if status:
                raise SystemExit(f"sync ended with {status}")
            timings.append(round(time.perf_counter() - began, 2))
            requests.append(len(state.requests))
    numbers, distinct, acts = stored(environment)
    return Outcome(
        tuple(killed_after),
        numbers,
        distinct,
        acts,
        (timings[0], timings[1]),
        (requests[0], requests[1]),
        sum(not one.conditional for one in state.requests),
        tuple(sorted({one.status for one in state.requests})),
    )


def github(issues: int) -> GitHubState:
    """A stand-in with invented issues, one a minute."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    state = GitHubState(lambda: now)
    state.add_repository(REPO)
    state.add_token("secret", "tagger[bot]")
    for number in range(1, issues + 1):
        now += timedelta(minutes=1)
        state.open_issue(REPO, f"Issue {number}", "text " * 100, by="ada")
        state.add_labels(REPO, number, ["bug"], by="grace")
        state.deliveries.clear()
    return state


def settings(url: str, folder: Path) -> dict[str, str]:
    """The environment of a command."""
    return {
        **os.environ,
        "ISSUE_TAGGER_DATA_DIR": str(folder),
        "ISSUE_TAGGER_GITHUB_API_URL": url,
        "ISSUE_TAGGER_GITHUB_TOKEN": "secret",
    }


@contextmanager
def syncing(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`issue-tagger sync` in a process of its own, which is over when the block ends."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot.cli", "sync", REPO],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stored(environment: dict[str, str]) -> tuple[int, int, int]:
    """Issues in the database, different numbers among them, and acts in their history."""
    file = Path(environment["ISSUE_TAGGER_DATA_DIR"]) / "issue-tagger.sqlite3"
    if not file.exists():
        return 0, 0, 0
    with Store(f"sqlite:///{file}") as store, store.read() as work:
        repository = work.repositories.find(REPO)
        if repository is None:
            return 0, 0, 0
        numbers = [one.number for one in work.issues.walk(repository.id, every_kind=True)]
        acts = sum(len(work.labels.history(repository.id, one)) for one in set(numbers))
        return len(numbers), len(set(numbers)), acts


def main() -> None:
    """Measure, print, and end with 1 where anything is not as promised."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--issues", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = measure(given.issues, given.kills, Path(folder))
    print(json.dumps(asdict(outcome), indent=1))
    whole = outcome.issues == outcome.distinct == outcome.acts == given.issues
    sys.exit(0 if whole and outcome.unconditional == 0 else 1)


if __name__ == "__main__":
    main()
