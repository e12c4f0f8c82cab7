"""Is the promise kept? Precision on test issues of the labels that are applied, case by case.

    python docs/benchmarks/promise.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --slices 256,500,all

The chain of the members that need no tuning, so that many seeds are to be had in minutes; a case is
one slice with one seed. A killed run goes on when it is called again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.chain import Chain
from tagger.chain.precision_guarantee import DEFAULT_TARGET
from tagger.evaluation.cells import FolderCells
from tagger.evaluation.figures import figures
from tagger.evaluation.runner import Execution, evaluate
from tagger.evaluation.slices import SplitPlan
from tagger.strategies.candidates import Candidate

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")


def main() -> None:
    """One line a case, then how many kept the promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--slices", default="256,500,all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--test-size", type=int, default=1000)
    parser.add_argument("--out", default="reports/promise")
    given = parser.parse_args()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    data = labelled_files(given.repository).load()
    size = min(given.test_size, len(data) // 2)
    plan = SplitPlan("stratified", tuple(given.slices.split(",")), size, given.pool, frozenset())
    chain = Candidate("chain", lambda seed: Chain(resources, seed=seed, members=MEMBERS))
    cells = FolderCells(Path(given.out) / "cells")
    kept = applied = 0
    for row in figures(
        evaluate(data, [chain], plan, range(given.seeds), cells, Execution(resume=True))
    ).rows:
        promise = row.promise
        if promise is not None and promise.precision is not None:
            applied, kept = applied + 1, kept + (promise.precision >= DEFAULT_TARGET)
            told = f"precision {promise.precision:.3f}, coverage {promise.coverage:.2f}"
        else:
            told = "nothing applied"
        print(f"{row.slice} issues, seed {row.seed}: {told}")
    print(f"promise kept in {kept} of the {applied} cases with anything applied")


if __name__ == "__main__":
    main()
