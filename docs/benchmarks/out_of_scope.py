"""How many labels does the bot set on issues of another repository, and how many at home?

    python docs/benchmarks/out_of_scope.py ISSUES:LABELS:NAME,… OTHER:LABELS:NAME,… --slices 256,all

The chain of the members that need no tuning at the usual target of 0.9, pool and test as
`promise.py` has them; 300 issues of the other repository. `--prior` names a prior that was made
without the first. `issue-tagger evaluate REPO --foreign OTHER` gives the same for stored ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.evaluating.foreign_issues import MOST
from bot.process.settings import load_settings
from tagger.chain.chain import Chain
from tagger.chain.prior import FeatureMoments
from tagger.evaluation.cells import MemoryCells
from tagger.evaluation.figures import PrecisionKept
from tagger.evaluation.runner import Execution, evaluate
from tagger.evaluation.slices import SplitPlan
from tagger.strategies.candidates import Candidate

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")


def main() -> None:
    """One line a slice and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("other", help="the same of another repository")
    parser.add_argument("--slices", default="256,all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prior")
    options = parser.parse_args()
    if options.prior:
        moments = FeatureMoments.from_json(json.loads(Path(options.prior).read_text("utf-8")))
        FeatureMoments.shipped = classmethod(lambda _: moments)  # type: ignore[method-assign,assignment]
    container = build(load_settings())
    container.store.migrate()  # it keeps the vectors
    resources = container.resources()
    data = labelled_files(options.repository).load()
    foreign = labelled_files(options.other).load().issues[:MOST]
    size = min(1000, len(data) // 2)
    plan = SplitPlan("stratified", tuple(options.slices.split(",")), size, 1000)
    chain = Candidate("chain", lambda seed: Chain(resources, seed=seed, members=MEMBERS))
    evaluation = evaluate(
        data, [chain], plan, range(options.seeds), MemoryCells(), Execution(foreign=foreign)
    )
    for cell in evaluation.cells:
        scope, truth = cell.foreign, evaluation.truth(cell.key.seed)
        if scope is None or cell.applied is None or scope.applied is None:
            raise SystemExit("the chain made no promise, expected one")
        home = PrecisionKept.of(truth, cell.applied)
        print(
            f"{cell.key.slice} issues, seed {cell.key.seed}: on ten foreign issues "
            f"{10 * scope.applied / scope.issues:.2f} labels set, "
            f"{10 * scope.decided / scope.issues:.2f} for the best F1; silent on "
            f"{scope.silent / scope.issues:.2f}; at home coverage {home.coverage:.2f}, "
            f"precision {home.precision or 0:.3f}"
        )


if __name__ == "__main__":
    main()
