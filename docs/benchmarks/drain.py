r"""How fast a queue of deliveries drains: `work` processes against the stand-in, all through HTTP.

    python docs/benchmarks/drain.py --issues 600
    python docs/benchmarks/drain.py --issues 600 --model-ms 12 --workers 1,2 \
        --database postgresql+psycopg://postgres@127.0.0.1/drain

Without `--database` on SQLite, every commit on the disk (`synchronous=FULL`); a database named is
emptied. Without `--model-ms` a release of `--strategies` is trained on the invented repository;
with it a call sleeps for so long an issue instead: what models take on cores of their own, where
all processes of this script share two. The stand-in has a process to itself.
Prints Markdown: issues a second once a twentieth is done, for each number of workers.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webhook import learn

from bot.container import Container, build
from bot.demo import stage
from bot.demo.material import from_sample
from bot.process.settings import environment_of, load_settings
from bot.receiving.deliveries import keep, understand
from bot.simulator.faults import RequestBudget
from bot.simulator.server import serving
from store.records import IssueRecord, ReleaseRecord
from tagger.domain.decision import LabelDecision
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.demo.material import Material
    from bot.process.settings import Settings
    from bot.simulator.state import GitHubState

CHEAP = "zero-shot,linear,naive-bayes,knn"
SHARE_LEFT_OUT = 20
PATIENCE = 900.0


@dataclass(frozen=True)
class _Drained:
    """Issues a second; the workers' processor seconds an issue; megabytes of one at most."""

    rate: float
    busy: float
    peak: float


class TimedRelease:
    """Applies one label to everything; an issue takes as long as models would."""

    names = ("bug",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def tag(self, issues: Sequence[Any], policy: Any = None) -> list[tuple[LabelDecision, ...]]:  # noqa: ARG002
        """One decision for each issue."""
        time.sleep(self._seconds * len(issues))
        decision = LabelDecision("bug", 0.95, 0.8, "apply", "words", {"words": 0.95}, ())
        return [(decision,) for _ in issues]

    def knows(self, number: int) -> bool:  # noqa: ARG002
        """It learns nothing."""
        return False

    def learn(self, *_: object) -> None:
        """It learns nothing."""

    def warm_up(self) -> None:
        """There is nothing to load."""


def main() -> None:
    """Run what the command line describes, or be one of its workers."""
    wanted = _arguments()
    if wanted.worker:
        _work(wanted.model_ms)
        return
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{wanted.issues} issues; load average {load}\n")
    print("| database | models | workers | issues/s | processor ms an issue | MB at most, each |")
    print("|---|---|---|---|---|---|", flush=True)
    for workers in [number for _ in range(wanted.again) for number in wanted.workers]:
        with tempfile.TemporaryDirectory() as folder:
            _report(wanted, workers, _measure(wanted, workers, Path(folder)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--issues", type=int, default=600)
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=CHEAP.split(","))
    parser.add_argument("--model-ms", type=float, default=None)
    parser.add_argument(
        "--workers", type=lambda text: [int(part) for part in text.split(",")], default=[1]
    )
    parser.add_argument("--again", type=int, default=1, help="rounds, the workers in turn")
    parser.add_argument("--database", default=None)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(wanted: argparse.Namespace, workers: int, folder: Path) -> _Drained:
    settings = load_settings(
        data_dir=folder,
        database_url=wanted.database or f"sqlite:///{folder}/issue-tagger.sqlite3",
        github_token=stage.TOKEN,
        runtime="onnx-int8",
    )
    installation = build(settings)
    if wanted.database:
        installation.store.migrate("base")
    installation.store.migrate()
    material = from_sample(silent)
    state = stage.set_up(material.repository, material.labels)
    state.budgets[stage.BOT] = RequestBudget(limit=10**6, remaining=10**6)
    with serving(state) as url:
        settings = settings.model_copy(update={"github_api_url": url})
        _prepare(installation, material, wanted)
        _fill(installation, state, material, wanted.issues)
        with _working(settings, workers, wanted.model_ms) as processes:
            drained = _drained(installation, wanted.issues, processes)
    installation.close()
    return drained


def _prepare(installation: Container, material: Material, wanted: argparse.Namespace) -> None:
    if wanted.model_ms is None:
        learn(installation, material, list(wanted.strategies))
        return
    now = installation.clock()
    with installation.store.begin() as work:
        repository = work.repositories.get_or_create(material.repository, now=now)
        work.releases.add(repository.id, ReleaseRecord("r1", now, "r1", "digest", {}))
        work.releases.promote(repository.id, "r1", now)


def _fill(installation: Container, state: GitHubState, material: Material, n_issues: int) -> None:
    """Deliveries as `serve` keeps them, with the invented texts, each a little different."""
    texts = [row.record for row in material.known if not row.record.is_pull_request]
    now = installation.clock()
    for start in range(0, n_issues, 100):
        with installation.store.begin() as work:
            for n in range(start, min(start + 100, n_issues)):
                text = texts[n % len(texts)]
                issue = IssueRecord(10_000 + n, f"{text.title} ({n})", text.body, (), now)
                sent = stage.file_anew(state, material.repository, issue)
                keep(work, understand(sent.guid, sent.event, sent.payload, now), None)


@contextmanager
def _working(
    settings: Settings, workers: int, model_ms: float | None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, __file__, "--worker"]
    command += [] if model_ms is None else ["--model-ms", str(model_ms)]
    log = (settings.data_dir / "work.log").open("wb")
    processes = [
        subprocess.Popen(command, env=environment_of(settings), stderr=log, stdout=log)  # noqa: S603 - ourselves
        for _ in range(workers)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
        log.close()


def _work(model_ms: float | None) -> None:
    from bot.process.settings import bound_kernels
    from bot.service.serving import run_worker

    bound_kernels()
    release = None if model_ms is None else TimedRelease(model_ms / 1000)
    opened = None if release is None else (lambda _: release)
    installation = Container(load_settings(), open_release=opened)
    run_worker(installation, queues=("tagging",), metrics_port=None)


def _drained(
    installation: Container, n_issues: int, processes: Sequence[subprocess.Popen[bytes]]
) -> _Drained:
    """Watch the workers until all is done."""
    began, first, busy, patience = time.monotonic(), 0, 0.0, time.monotonic() + PATIENCE
    while True:
        with installation.store.read() as work:
            done = work.inbox.counts()["done"]
        now = time.monotonic()
        if not first and n_issues // SHARE_LEFT_OUT <= done < n_issues:
            began, first, busy = now, done, sum(map(_busy, processes))
        if done >= n_issues:
            busy = sum(map(_busy, processes)) - busy
            peak = statistics.median(map(_peak_memory, processes))
            return _Drained((done - first) / (now - began), busy / (done - first), peak)
        if now > patience or any(process.poll() is not None for process in processes):
            log = installation.settings.data_dir / "work.log"
            raise SystemExit(f"{done} of {n_issues} done: {log.read_text('utf-8')[-2000:]}")
        time.sleep(0.1)


def _busy(process: subprocess.Popen[bytes]) -> float:
    """Seconds of processor time that the process took."""
    fields = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_memory(process: subprocess.Popen[bytes]) -> float:
    """Megabytes that the process held at most."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) / 1024


def _report(wanted: argparse.Namespace, workers: int, drained: _Drained) -> None:
    database = "PostgreSQL" if wanted.database else "SQLite"
    models = "cheap" if wanted.model_ms is None else f"{wanted.model_ms:g} ms an issue"
    print(
        f"| {database} | {models} | {workers} | {drained.rate:.1f} | {1000 * drained.busy:.1f} "
        f"| {drained.peak:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
