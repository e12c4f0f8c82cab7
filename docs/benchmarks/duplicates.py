"""Likely duplicates: what would be named, by people's own links, and by pairs that were read.

    python docs/benchmarks/duplicates.py ISSUES.jsonl.gz OWNER/NAME [--read VERDICTS.json] [--fit]

Every issue is compared with those before it. `linked`: the threshold that the product would choose
on "duplicate of #n" in the bodies of the older half of the copies, and what becomes of the newer
half. `read`: the weights fitted on pairs of one half of the time that were read (a list of copy,
original, 1 for the same), and the other half named by them. `labelled`: how many of the named carry
a label that says duplicate. `--fit` prints weights fitted on all pairs that were read.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.precision_guarantee import lower_bound
from tagger.domain.issue import IssueText
from tagger.duplicates.bundled import WEIGHTS
from tagger.duplicates.links import stated_originals
from tagger.duplicates.measurement import COMPARED, judged, measured_threshold, replay
from tagger.duplicates.similarity import (
    IssueWords,
    Weights,
    WordRarity,
    pair_features,
    template_lines,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CUTS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
UNREAD = 4000
"""Pairs taken as different without having been read, of those that are not the most alike."""


@dataclass(frozen=True)
class Repository:
    """Issues by rising number."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    numbers: list[int]
    words: list[IssueWords]
    vectors: NDArray[np.float32]

    def links(self) -> list[tuple[int, int]]:
        """Copies and originals that closed issues name in their bodies."""
        present = set(self.numbers)
        pairs = {
            (row["number"], original)
            for row in self.rows
            if row.get("state") == "closed"
            for original in stated_originals(row["body"] or "", self.name)
            if original in present and original != row["number"]
        }
        return sorted((max(pair), min(pair)) for pair in pairs)


def load(file: Path, name: str, newest: int) -> Repository:
    """The newest issues of a file."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if not row.get("pull_request")]
    rows = sorted(rows, key=lambda row: row["number"])[-newest:]
    texts = [IssueText.of(row["title"], row["body"]) for row in rows]
    template = template_lines(text.body for text in texts)
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    encoder = installation.resources(tuning=False).encoder()
    vectors = encoder.encode([text.full for text in texts])
    words = [IssueWords.of(text, template) for text in texts]
    return Repository(name, rows, [row["number"] for row in rows], words, vectors)


def by_links(repository: Repository) -> None:
    """The threshold chosen on the older half of the links, judged on the newer."""
    answers, links = (
        replay(repository.numbers, repository.words, repository.vectors, WEIGHTS),
        repository.links(),
    )
    half = sorted(copy for copy, _ in links)[len(links) // 2] if links else 0
    older = [pair for pair in links if pair[0] < half]
    threshold = measured_threshold(answers.of(answers.numbers < half), older)
    print(f"linked: {len(links)} links in {len(repository.numbers)} issues; threshold {threshold}")
    if threshold is None:
        return
    newer = [pair for pair in links if pair[0] >= half]
    settled, right = judged(answers, newer)
    named = settled & (answers.numbers >= half) & (answers.probabilities >= threshold.probability)
    hits, size = int((named & right).sum()), int(named.sum())
    print(f"  newer half: {hits} of {size} right, recall {hits / max(1, len(newer)):.3f}")


def by_labels(repository: Repository) -> None:
    """How many of the named carry a label with "duplicate" in its name, either of the two."""
    answers = replay(repository.numbers, repository.words, repository.vectors, WEIGHTS)
    labelled = {
        row["number"]
        for row in repository.rows
        if any("duplicate" in _name(label).casefold() for label in row["labels"])
    }
    either = np.array(
        [
            bool({int(number), int(original)} & labelled)
            for number, original in zip(answers.numbers, answers.originals, strict=True)
        ]
    )
    print(f"labelled: {len(labelled)} issues carry a label that says duplicate")
    for cut in CUTS:
        named = answers.probabilities >= cut
        print(f"  from {cut}: {named.sum()} named, {(named & either).sum()} labelled")


def by_reading(repository: Repository, verdicts: Mapping[tuple[int, int], bool]) -> None:
    """Weights from the pairs read of one half, the other half named by them."""
    middle = int(np.median([copy for copy, _ in verdicts]))
    right, wrong, unread = (np.zeros(len(CUTS), dtype=int) for _ in range(3))
    for old in (True, False):
        learned = {pair: same for pair, same in verdicts.items() if (pair[0] < middle) == old}
        weights = fitted(repository, learned)
        answers = replay(repository.numbers, repository.words, repository.vectors, weights)
        answers = answers.of((answers.numbers >= middle) == old)
        for i, cut in enumerate(CUTS):
            named = answers.of(answers.probabilities >= cut)
            for pair in zip(named.numbers.tolist(), named.originals.tolist(), strict=True):
                counts = unread if pair not in verdicts else right if verdicts[pair] else wrong
                counts[i] += 1
    print(f"read: {sum(verdicts.values())} of {len(verdicts)} pairs are the same")
    for i, cut in enumerate(CUTS):
        size = int(right[i] + wrong[i])
        bound = lower_bound(int(right[i]), size) if size else 0.0
        print(
            f"  from {cut}: {right[i]} of {size} right, at least {bound:.2f}; "
            f"{unread[i]} not read; recall {right[i] / max(1, sum(verdicts.values())):.2f}"
        )


def fitted(repository: Repository, verdicts: Mapping[tuple[int, int], bool]) -> Weights:
    """A logistic regression on pairs that were read, and on others taken as different."""
    pairs, features = compared(repository)
    truth = np.array([verdicts.get(pair, False) for pair in pairs])
    was_read = np.array([pair in verdicts for pair in pairs])
    rest = np.flatnonzero(~was_read)
    rest = np.random.default_rng(0).choice(rest, min(UNREAD, len(rest)), replace=False)
    rows = np.concatenate([np.flatnonzero(was_read), rest])
    model = LogisticRegression(C=3).fit(features[rows], truth[rows])
    slopes = tuple(round(float(slope), 2) for slope in model.coef_[0])
    return Weights(round(float(model.intercept_[0]), 2), slopes)


def compared(repository: Repository) -> tuple[list[tuple[int, int]], NDArray[np.float64]]:
    """Each issue beside the nearest before it."""
    rarity, pairs, features = WordRarity(), [], []
    numbers, words, vectors = repository.numbers, repository.words, repository.vectors
    for row, number in enumerate(numbers):
        cosines = vectors[:row] @ vectors[row]
        nearest = [
            other
            for other in np.argsort(-cosines, kind="stable")[:COMPARED]
            if not words[other].says_little
        ]
        if nearest and not words[row].says_little:
            others = [words[other] for other in nearest]
            features.append(pair_features(rarity, words[row], others, cosines[nearest]))
            pairs += [(number, numbers[other]) for other in nearest]
        rarity.add(words[row])
    return pairs, np.concatenate(features)


def _name(label: Any) -> str:
    return str(label["name"] if isinstance(label, dict) else label)


def main() -> None:
    """One repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("issues", type=Path)
    parser.add_argument("repository", help="OWNER/NAME")
    parser.add_argument("--read", type=Path, help="pairs that were read")
    parser.add_argument("--newest", type=int, default=20_000)
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    repository = load(arguments.issues, arguments.repository, arguments.newest)
    by_links(repository)
    by_labels(repository)
    if arguments.read:
        rows = json.loads(arguments.read.read_text("utf-8"))
        verdicts = {(copy, original): bool(same) for copy, original, same in rows}
        by_reading(repository, verdicts)
        if arguments.fit:
            print(fitted(repository, verdicts))


if __name__ == "__main__":
    main()
