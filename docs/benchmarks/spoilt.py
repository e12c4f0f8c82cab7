"""Labels spoilt on purpose: how many does the audit find in its first tenth?

    python docs/benchmarks/spoilt.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --share 0.05 --seeds 5

In a share of the issues one label is spoilt: *flipped* (one label of the set is set where it was
not, or taken off where it was; an issue keeps at least one) or *exchanged* (a label that is there
gives way to one that is not). The audit then ranks all issues, and the share of the spoilt ones
among the first tenth is told, for the product's own rule and for cleanlab's where it is installed
(`pip install cleanlab`). Issues that were labelled wrongly before stay as they are, and count
against every rule alike.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from gate import newest

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.process.settings import load_settings
from tagger.monitoring.audit import suspect_issues
from tagger.strategies.linear import LinearHeads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Scores
    from tagger.statistics.stratification import Rows

    Rule = Callable[[TrainingSet, Scores], Rows]
    """Ranks the rows of the data, the most suspicious first."""

FIRST = 0.1


def main() -> None:
    given = _arguments()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources(tuning=False)
    data = newest(labelled_files(given.repository).load(), given.newest)
    print(f"{len(data)} labelled issues, {len(data.labels)} labels")
    print("| spoilt | seed | issues | " + " | ".join(rules()) + " |")
    print("|---|---|---|" + "---|" * len(rules()))
    for name, how in {"flipped": flipped, "exchanged": exchanged}.items():
        found: list[list[float]] = []
        for seed in range(given.seeds):
            spoilt, rows = how(data, given.share, seed)
            scores = LinearHeads(resources, seed=seed).fit(spoilt).out_of_fold_
            found.append([share_found(rule(spoilt, scores), rows) for rule in rules().values()])
            print(row(name, seed, len(rows), found[-1]), flush=True)
        print(row(name, "mean", "", np.mean(found, axis=0).tolist()))


def row(name: str, seed: object, count: object, shares: Sequence[float]) -> str:
    shown = " | ".join(f"{share:.2f}" for share in shares)
    return f"| {name} | {seed} | {count} | {shown} |"


def flipped(data: TrainingSet, share: float, seed: int) -> tuple[TrainingSet, Rows]:
    """One label of each chosen issue set or taken off; no issue loses its last one."""
    rng = np.random.default_rng(seed)
    rows = _chosen(data, share, rng)
    targets = data.targets.copy()
    for row in rows:
        alone = targets[row].sum() == 1
        columns = np.flatnonzero(~targets[row]) if alone else np.arange(targets.shape[1])
        column = rng.choice(columns)
        targets[row, column] = ~targets[row, column]
    return replace(data, targets=targets), rows


def exchanged(data: TrainingSet, share: float, seed: int) -> tuple[TrainingSet, Rows]:
    """One label of each chosen issue replaced by one that it does not carry."""
    rng = np.random.default_rng(seed)
    rows = [row for row in _chosen(data, share, rng) if not data.targets[row].all()]
    targets = data.targets.copy()
    for row in rows:
        gone = rng.choice(np.flatnonzero(data.targets[row]))
        come = rng.choice(np.flatnonzero(~data.targets[row]))
        targets[row, [gone, come]] = False, True
    return replace(data, targets=targets), np.array(rows)


def _chosen(data: TrainingSet, share: float, rng: np.random.Generator) -> Rows:
    return np.sort(rng.choice(len(data), max(1, round(share * len(data))), replace=False))


def rules() -> dict[str, Rule]:
    """Each ranks the rows of the data, the most suspicious first."""
    found: dict[str, Rule] = {"audit": own}
    if find_spec("cleanlab"):
        found |= {f"cleanlab, {method}": cleanlab(method) for method in CLEANLAB}
    return found


CLEANLAB = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def own(data: TrainingSet, scores: Scores) -> Rows:
    place = {number: row for row, number in enumerate(data.numbers)}
    return np.array([place[number] for number in suspect_issues(data, scores)])


def cleanlab(method: str) -> Rule:
    """Rank by cleanlab, for which an issue is as good as the mean of its labels."""

    def rank(data: TrainingSet, scores: Scores) -> Rows:
        from cleanlab.multilabel_classification import get_label_quality_scores

        labels = [list(np.flatnonzero(row)) for row in data.targets]
        quality = get_label_quality_scores(labels, scores.astype(float), method=method)
        return np.asarray(np.argsort(quality, kind="stable"))

    return rank


def share_found(ranked: Rows, rows: Rows) -> float:
    first = ranked[: max(1, round(FIRST * len(ranked)))]
    return float(np.isin(rows, first).mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--newest", type=int, default=2000, help="labelled issues used, at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
