"""From no labelled issue on: answers to issues that the page chooses, beside as many at random.

    python docs/benchmarks/teaching.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --seeds 5

Answers are simulated from the true labels. The page's way is `teaching_order`, with the cheap
members trained again after every eighth answer; what is compared is the chain of cheap members
trained on the answers, on test issues that are never asked about.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.process.settings import load_settings
from bot.teaching.lesson import MEMBERS
from bot.teaching.teaching_sessions import EVERY
from tagger.chain.chain import Chain
from tagger.evaluation.teaching_order import teaching_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources

ANSWERS = (27, 40)
"""Two thirds of forty, and forty."""
REFERENCE = 256
"""Texts that stand for those to come."""


@dataclass(frozen=True)
class Class:
    """One draw of a repository: issues to ask about, and issues to test on.

    :ivar rows: of the pool, in the data; `vectors` likewise.
    """

    data: TrainingSet
    resources: Resources
    rows: NDArray[np.int_]
    test: NDArray[np.int_]
    others: NDArray[np.int_]
    vectors: NDArray[np.float32]
    seed: int

    def fit(self, answered: Sequence[int]) -> Chain:
        """The chain of cheap members on the answers."""
        texts = tuple(self.data.issues[row] for row in self.others)
        train = replace(self.data.subset(answered), unlabelled=texts, recent=texts)
        return Chain(self.resources, seed=self.seed, members=MEMBERS).fit(train)

    def f1(self, answered: Sequence[int]) -> tuple[float, float]:
        """Micro and macro F1 on the test issues."""
        truth = self.data.targets[self.test].astype(bool)
        decided = self.fit(answered).decide([self.data.issues[row] for row in self.test])
        hits = (truth & decided).sum(axis=0).astype(float)
        size = truth.sum(axis=0) + decided.sum(axis=0)
        each = np.divide(2 * hits, size, out=np.zeros(len(hits)), where=size > 0)
        return 2 * float(hits.sum()) / float(size.sum()), float(each[truth.any(axis=0)].mean())

    def chosen(self, count: int) -> list[int]:
        """Rows in the order in which the page asks about them."""
        answered: list[int] = []
        while len(answered) < count:
            texts = [self.data.issues[row] for row in self.rows]
            scores = np.asarray(self.fit(answered).score(texts), float)
            for _ in range(min(EVERY, count - len(answered))):
                free = [place for place, row in enumerate(self.rows) if row not in answered]
                examples = self.data.targets[answered].sum(axis=0).astype(float)
                done = [place for place, row in enumerate(self.rows) if row in answered]
                (best,) = teaching_order(
                    scores[free], examples, self.vectors[free], self.vectors[done], count=1
                )
                answered.append(int(self.rows[free[best]]))
        return answered


def main() -> None:
    """A line a seed, then the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pool", type=int, default=300)
    parser.add_argument("--test-size", type=int, default=400)
    arguments = parser.parse_args()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources(tuning=False)
    data = labelled_files(arguments.repository).load()
    rows: list[list[float]] = []
    for seed in range(arguments.seeds):
        drawn = draw(data, resources, seed, (arguments.test_size, arguments.pool))
        at_random = [int(row) for row in np.random.default_rng([seed, 1]).permutation(drawn.rows)]
        chosen = drawn.chosen(max(ANSWERS))
        figures = [
            figure for way in (at_random, chosen) for n in ANSWERS for figure in drawn.f1(way[:n])
        ]
        rows.append(figures)
        print(f"seed {seed}: {in_words(figures)}", flush=True)
    print(f"mean of {arguments.seeds}: {in_words(list(np.mean(rows, axis=0)))}")


def draw(data: TrainingSet, resources: Resources, seed: int, sizes: tuple[int, int]) -> Class:
    """Part the labelled issues by chance; sizes of the test set and of the pool."""
    order = np.random.default_rng(seed).permutation(len(data))
    test, pool = order[: sizes[0]], order[sizes[0] : sum(sizes)]
    rest = order[-REFERENCE:]
    vectors = resources.encoder().encode([data.issues[row].full for row in pool])
    return Class(data, resources, pool, test, rest, vectors, seed)


def in_words(figures: list[float]) -> str:
    """Micro and macro F1 of each way with each number of answers."""
    ways = [(way, n) for way in ("random", "chosen") for n in ANSWERS]
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return ", ".join(
        f"{n} {way} {micro:.3f}/{macro:.3f}"
        for (way, n), (micro, macro) in zip(ways, pairs, strict=True)
    )


if __name__ == "__main__":
    main()
