"""Does cleaning help? F1 of the cheap strategies on the same splits, one cleaning after the other.

    python docs/benchmarks/cleaning.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --versions 1,2

The parts are drawn once, with the first version's texts, so that all versions learn from and are
asked about the same issues. The chain has the members that need no tuning.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.options import listed
from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.chain import Chain
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.evaluation.cell_run import evaluate_cell
from tagger.evaluation.slices import SplitPlan, split
from tagger.statistics.metrics import Counts
from tagger.strategies.candidates import Candidate, candidates
from tagger.text.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tagger.domain.strategy import Resources
    from tagger.evaluation.slices import Split

Measured = dict[tuple[str, str], list[tuple[float, float]]]
"""Micro and macro F1 by strategy and slice, a pair a seed."""

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")


def main() -> None:
    """A table: a line for each version and strategy, a column for each slice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--versions", default="1,2")
    parser.add_argument("--slices", default="64,all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--test-size", type=int, default=1000)
    given = parser.parse_args()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    versions = given.versions.split(",")
    read = {name: load(given.repository, cleaner(name)) for name in versions}
    first = read[versions[0]]
    slices = tuple(given.slices.split(","))
    size = min(given.test_size, len(first) // 2)
    plan = SplitPlan("stratified", slices, size, given.pool, frozenset())
    groups = duplicate_groups(first.issues)
    parts = [split(first, plan, seed, groups) for seed in range(given.seeds)]
    print("| cleaning | strategy | " + " | ".join(slices) + " |")
    print("|---" * (len(slices) + 2) + "|")
    for name, data in read.items():
        report(name, slices, measure(data, parts, resources))


def cleaner(name: str) -> Callable[[str, str], IssueText]:
    """Title and body to `IssueText` as of one version."""
    return partial(IssueText.of, cleaning=int(name))


def load(given: str, text_of: Callable[[str, str], IssueText]) -> TrainingSet:
    """Labelled issues with the label set, the other issues as unlabelled."""
    issues, labels, names = given.split(":", 2)
    wanted = listed(names)
    opener = gzip.open if issues.endswith(".gz") else open
    with opener(issues, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if "pull_request" not in row]
    described = {
        row["name"]: row.get("description") or "" for row in json.loads(Path(labels).read_text())
    }
    carried = [{label["name"] for label in row["labels"]} & set(wanted) for row in rows]
    texts = [text_of(row["title"], row["body"]) for row in rows]
    with_label = [place for place, names in enumerate(carried) if names]
    return TrainingSet(
        tuple(Label(name, described.get(name, "")) for name in wanted),
        tuple(rows[place]["number"] for place in with_label),
        tuple(texts[place] for place in with_label),
        np.array([[name in carried[place] for name in wanted] for place in with_label]),
        tuple(text for text, names in zip(texts, carried, strict=True) if not names),
    )


def measure(data: TrainingSet, parts: Sequence[Split], resources: Resources) -> Measured:
    """Micro and macro F1 by strategy and slice, a pair a seed."""
    chain = Candidate("chain", lambda seed: Chain(resources, seed=seed, members=MEMBERS))
    rivals = [chain, *candidates(["linear", "naive-bayes", "knn"], resources)]
    measured: Measured = {}
    for part in parts:
        recent = np.random.default_rng(part.seed).permutation(part.pool)
        test = data.subset(part.test)
        for piece in part.slices:
            train = replace(
                data.subset(piece.rows), recent=tuple(data.issues[row] for row in recent)
            )
            for outcome in evaluate_cell(rivals, train, test, part.seed):
                counts = Counts.of(test.targets, outcome.judgement.decided)
                pair = float(counts.micro_f1), float(counts.macro_f1)
                measured.setdefault((outcome.strategy, piece.name), []).append(pair)
    return measured


def report(version: str, slices: Sequence[str], measured: Measured) -> None:
    """The lines of one version."""
    for strategy in dict.fromkeys(name for name, _ in measured):
        cells = [np.mean(measured[strategy, piece], axis=0) for piece in slices]
        told = " | ".join(f"{micro:.3f}/{macro:.3f}" for micro, macro in cells)
        print(f"| {version} | {strategy} | {told} |", flush=True)


if __name__ == "__main__":
    main()
