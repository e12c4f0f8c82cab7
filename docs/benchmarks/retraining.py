"""Where the time of `retrain` goes, step by step, and when its first release serves.

    python docs/benchmarks/retraining.py ISSUES.jsonl.gz:LABELS.json
    python docs/benchmarks/retraining.py ISSUES.jsonl.gz:LABELS.json --members linear,knn

Imports the files into a new folder, so that runtimes are compared, texts encoded and bodies adapted
as on a new machine, and retrains as the command does. Prints Markdown: the releases with the time
at which each was through the gate, then seconds by step, the longest first, and peak memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.options import duration
from bot.container import build
from bot.learning.retraining import RetrainRequest, retrain
from bot.process.settings import load_settings
from bot.repositories.importing import ImportRequest, import_files

if TYPE_CHECKING:
    from bot.learning.gating import Retrained

REPOSITORY = "some/thing"


class StepTimes:
    """A progress that adds up how long each step took until the next word of any.

    :ivar seconds: by step.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._step, self._since = "before the first step", time.perf_counter()

    def __call__(self, step: str, done: int, total: int) -> None:  # noqa: ARG002
        """The step that spoke last has taken the time until now."""
        now = time.perf_counter()
        self.seconds[self._step] += now - self._since
        self._step, self._since = step, now


def main() -> None:
    """Run what the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", help="ISSUES:LABELS")
    parser.add_argument("--labels", type=lambda text: text.split(","), default=None)
    parser.add_argument("--members", type=lambda text: text.split(","), default=None)
    parser.add_argument("--within", type=duration, default=None)
    wanted = parser.parse_args()
    issues, _, labels = wanted.files.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder), database_url=f"sqlite:///{folder}/issue-tagger.sqlite3"
        )
        installation = build(settings)
        installation.store.migrate()
        files = ImportRequest([Path(issues)], labels_file=Path(labels))
        import_files(installation.store, REPOSITORY, files, now=installation.clock())
        times = StepTimes()
        request = RetrainRequest(
            REPOSITORY, labels=wanted.labels, strategies=wanted.members, within=wanted.within
        )
        load = os.getloadavg()[0]
        done = retrain(installation.workspace(times), request)
        times("the end", 1, 1)
        installation.close()
    _report(done, times, load)


def _report(done: Retrained, times: StepTimes, load: float) -> None:
    print(f"{done.manifest.n_issues} labelled issues; load average {load:.1f} before\n")
    print("| release of | through the gate after s | serves |")
    print("|---|---|---|")
    for stage in done.stages:
        names = ", ".join(stage.manifest.strategies)
        print(f"| {names} | {stage.seconds:.1f} | {'yes' if stage.promoted else 'no'} |")
    total = sum(times.seconds.values())
    print("\n| step | seconds | share |")
    print("|---|---|---|")
    for step, seconds in sorted(times.seconds.items(), key=lambda item: -item[1]):
        print(f"| {step} | {seconds:.1f} | {seconds / total:.0%} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{total:.1f} s, {peak:.0f} MB at most.")


if __name__ == "__main__":
    main()
