"""The gate on real releases: does it refuse a worse one, and let an equal one pass?

    python docs/benchmarks/gate.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --tries 20

Each try parts the issues as `retrain` does, for a repository of another name, so that other issues
are held out. What is left is halved at random. Three releases are trained and opened again: the
active one on the first half, an equal one on the second, a worse one on the second with the labels
of half of its issues shuffled among them. Both are then compared with the active one on the issues
held out, as after each training. An equal release has learned from other issues altogether; a
retrain in earnest learns from the same ones and some more, so it is refused by chance less often.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.learning.gating import part
from bot.process.settings import load_settings
from tagger.monitoring.release_comparison import compare
from tagger.releases.release import Release, ReleaseOrder, train_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.monitoring.gate import GateDecision

REPOSITORY = "tries/number-{}"


def main() -> None:
    given = _arguments()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources(tuning=False)
    data = newest(labelled_files(given.repository).load(), given.newest)
    members = tuple(given.members.split(","))
    refused = promoted = 0
    print(f"{len(data)} labelled issues, {len(data.labels)} labels, members {', '.join(members)}")
    print("| try | held out | active micro/macro F1 | equal | decision | worse | decision |")
    print("|---|---|---|---|---|---|---|")
    for number in range(given.first, given.first + given.tries):
        equal, worse = one_try(data, number, members, resources)
        promoted, refused = promoted + equal.promote, refused + (not worse.promote)
        active = "/".join(f"{one.active:.3f}" for one in equal.figures)
        print(
            f"| {number} | {equal.n_issues} | {active} | {told(equal)} | {told(worse)} |",
            flush=True,
        )
    print(f"\nequal releases promoted: {promoted} of {given.tries}")
    print(f"worse releases refused: {refused} of {given.tries}")


def one_try(
    data: TrainingSet, number: int, members: Sequence[str], resources: Resources
) -> tuple[GateDecision, GateDecision]:
    """The gate's decisions on an equal and on a worse release."""
    name = REPOSITORY.format(number)
    parted = part(data, name)
    order = np.random.default_rng(number).permutation(len(parted.learned))
    first, second = (parted.learned.subset(np.sort(half)) for half in np.array_split(order, 2))
    with TemporaryDirectory() as folder:

        def released(train: TrainingSet, which: str) -> Release:
            order = ReleaseOrder(f"{name}-{which}", Path(folder), seed=number)
            manifest = train_release(order, train, resources, members)
            return Release.open(Path(folder) / manifest.repository / manifest.id, resources)

        active = released(first, "active")
        equal, worse = released(second, "equal"), released(half_shuffled(second, number), "worse")
        held_out = parted.held_out
        return compare(equal, active, held_out), compare(worse, active, held_out)


def half_shuffled(train: TrainingSet, seed: int) -> TrainingSet:
    """The same issues, the labels of half of them exchanged among them at random."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(train))[: len(train) // 2]
    targets = train.targets.copy()
    targets[rows] = targets[rng.permutation(rows)]
    return replace(train, targets=targets)


def newest(data: TrainingSet, most: int) -> TrainingSet:
    return data.subset(np.arange(max(0, len(data) - most), len(data)))


def told(decision: GateDecision) -> str:
    figures = "/".join(f"{one.new:.3f}" for one in decision.figures)
    return f"{figures} | {'promoted' if decision.promote else 'refused'}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first try")
    parser.add_argument("--members", default="naive-bayes,linear")
    parser.add_argument("--newest", type=int, default=3000, help="labelled issues used, at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
