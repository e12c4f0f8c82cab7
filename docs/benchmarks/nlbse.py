"""The public benchmark of NLBSE'24 (issue report classification), beside its published baselines.

    git clone https://github.com/nlbse2024/issue-report-classification
    python docs/benchmarks/nlbse.py issue-report-classification/data

Five repositories, 300 issues to learn from and 300 to be asked about in each, one of bug, feature
and question on every issue, as many of each (Kallis et al. 2024). What is compared is the F1 of
the top label, averaged over the three labels, then over the repositories: the competition's own
figure. `--sizes` learns from fewer issues, drawn evenly, mean of `--seeds` draws. Prints Markdown.

The labels' names are known to the product, but no description, and nothing says that one label
excludes another.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import f1_score

from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.chain import Chain
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.statistics.stratification import stratified_sample
from tagger.strategies import create

if TYPE_CHECKING:
    from tagger.domain.strategy import Resources
    from tagger.statistics.stratification import Rows

LABELS = ("bug", "feature", "question")
SETFIT = {
    "facebook/react": 0.8718,
    "tensorflow/tensorflow": 0.8644,
    "microsoft/vscode": 0.8262,
    "bitcoin/bitcoin": 0.7555,
    "opencv/opencv": 0.8173,
}
"""SetFit on all-mpnet-base-v2, as the competition published it, learned from all 300."""

PUBLISHED = "SetFit mpnet, published"


def main() -> None:
    """Learn and ask for each repository, size and draw; print F1."""
    given = _arguments()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    parts = {name: _read(Path(given.data) / f"issues_{name}.csv") for name in ("train", "test")}
    found: dict[tuple[str, int], dict[str, float]] = {}
    for repository in SETFIT:
        train, test = parts["train"][repository], parts["test"][repository]
        for size in given.sizes:
            draws = [
                _scores(train.subset(_drawn(train, size, seed)), test, given, resources, seed)
                for seed in range(given.seeds if size < len(train) else 1)
            ]
            for name in draws[0]:
                row = found.setdefault((name, size), {})
                row[repository] = float(np.mean([draw[name] for draw in draws]))
            print(repository, size, draws, file=sys.stderr, flush=True)
    _print(found)
    installation.close()


def _read(file: Path) -> dict[str, TrainingSet]:
    csv.field_size_limit(1 << 30)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    labels = tuple(Label(name) for name in LABELS)
    sets = {}
    for repository in SETFIT:
        own = [row for row in rows if row["repo"] == repository]
        issues = tuple(IssueText.of(row["title"], row["body"]) for row in own)
        targets = np.array([[row["label"] == name for name in LABELS] for row in own])
        sets[repository] = TrainingSet(labels, tuple(range(len(own))), issues, targets, ())
    return sets


def _drawn(train: TrainingSet, size: int, seed: int) -> Rows:
    if size >= len(train):
        return np.arange(len(train))
    return np.asarray(stratified_sample(train.targets, size, seed))


def _scores(
    train: TrainingSet,
    test: TrainingSet,
    given: argparse.Namespace,
    resources: Resources,
    seed: int,
) -> dict[str, float]:
    chain = Chain(resources, seed=seed, members=given.chain).fit(train)
    judged = {"chain": chain.score(test.issues)}
    for name in given.members:
        member = chain.member(name) or create(name, resources, seed=seed).fit(train)
        judged[name] = member.score(test.issues)
    truth = test.targets.argmax(axis=1)
    return {
        name: float(f1_score(truth, scores.argmax(axis=1), average="macro"))
        for name, scores in judged.items()
    }


def _print(found: dict[tuple[str, int], dict[str, float]]) -> None:
    print("| method | learned from | " + " | ".join(SETFIT) + " | mean |")
    print("|" + "---|" * (len(SETFIT) + 3))
    rows = [((PUBLISHED, 300), SETFIT), *sorted(found.items(), key=lambda one: one[0][1])]
    for (name, size), row in rows:
        cells = " | ".join(f"{row[repository]:.3f}" for repository in SETFIT)
        print(f"| {name} | {size} | {cells} | {np.mean(list(row.values())):.3f} |", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of issues_train.csv and issues_test.csv")
    numbers = "how many issues to learn from, e.g. 8,16,300"
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(one) for one in text.split(",")],
        default=[300],
        help=numbers,
    )
    parser.add_argument("--seeds", type=int, default=3, help="draws of each smaller size")
    parser.add_argument(
        "--chain",
        type=lambda text: tuple(text.split(",")),
        help="members of the chain; without it, all that are at hand",
    )
    parser.add_argument(
        "--members",
        type=lambda text: [one for one in text.split(",") if one],
        default=[],
        help="strategies beside the chain",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
