"""The mean curve over many repositories, each judged with a prior that the others' owners made.

    python docs/benchmarks/across.py SETS.json FOLDER --keep var/across --out PRIOR.json

SETS is a list of {"repository", "file", "labels"}; FOLDER holds the files. Of each repository small
training sets are drawn; the cheap members learn from them and score half of the rest, 250 issues at
most. What they say is kept, so a killed run goes on, and judging anew takes a minute. Then each
repository is judged by the chain's own last stage (prior, correction by evidence, thresholds) with
the moments of all repositories of other owners. Prints mean micro/macro F1 (macro over the labels
that the test has) of repositories that have every size, how many of them have more at each step,
and beside it zero-shot and logistic regression on [TF-IDF, encoder]. `--out` writes the moments of
all of them, to be shipped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rivals import LogisticRival

from bot.container import build
from bot.learning.prior_files import LabelledFiles
from bot.process.settings import load_settings
from tagger.chain.checkpoints import Checkpoints
from tagger.chain.members import CHEAP, Member, counts, fit_member, reference_texts, shares
from tagger.chain.prior import FeatureMoments
from tagger.chain.prior_measurement import MeasuredIssues, moments_of, parted
from tagger.chain.stage import Stage
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.persistence import load_arrays, save_arrays
from tagger.statistics.expected_f1 import best_expected_f1, micro_share
from tagger.statistics.log_odds import UsualLogOdds, stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Resources

    F1 = tuple[float, float]

DRAWS = {0: 2, 4: 2, 8: 4, 16: 3, 32: 3, 64: 2, 128: 2, 256: 1}
RIVAL = "LR tfidf+MiniLM"


@dataclass(frozen=True)
class Draw:
    """What members said of one training set and of the issues beside it.

    :ivar arrays: `MEMBER|oof`, `MEMBER|ref` and `MEMBER|test`, `train_y`, `test_y`, `share`,
        `count`.
    """

    repository: str
    labels: tuple[str, ...]
    size: int
    number: int
    arrays: dict[str, NDArray[Any]]

    @property
    def train(self) -> TrainingSet:
        """The labels of the issues that were learned from, without their texts."""
        truth = self.arrays["train_y"].astype(bool)
        texts = tuple(IssueText(str(row)) for row in range(len(truth)))
        labels = tuple(map(Label, self.labels))
        return TrainingSet(labels, tuple(range(len(truth))), texts, truth)

    @property
    def truth(self) -> NDArray[np.bool_]:
        return self.arrays["test_y"].astype(bool)

    def scores(self, name: str, of: str) -> NDArray[np.float32]:
        """A member's scores; where it could not learn, the labels' shares."""
        if f"{name}|{of}" in self.arrays:
            return self.arrays[f"{name}|{of}"]
        rows = len(self.arrays[f"zero-shot|{of}"])
        return self.arrays["share"][None].astype(np.float32).repeat(rows, axis=0)

    def members(self) -> list[Member]:
        names = CHEAP if self.size else CHEAP[:1]
        return [
            Member(
                name,
                None,  # type: ignore[arg-type]  # a stage asks a fitted member for scores alone
                self.arrays.get(f"{name}|oof"),
                self.arrays[f"{name}|ref"],
                0.0,
            )
            for name in names
        ]

    def measured(self) -> MeasuredIssues:
        """As `issue-tagger prior` measures it."""
        usual = {name: UsualLogOdds.of(self.scores(name, "ref")) for name in CHEAP}
        shape = self.truth.shape
        return MeasuredIssues(
            stack({name: self.scores(name, "test") for name in CHEAP}, usual),
            np.broadcast_to(self.arrays["share"], shape),
            np.broadcast_to(self.arrays["count"], shape),
            self.truth,
            np.full(len(self.truth), self.size),
            np.full(len(self.truth), self.number),
        )


def main() -> None:
    """Score what is not kept, judge, print."""
    options = _arguments()
    keep = Path(options.keep)
    keep.mkdir(parents=True, exist_ok=True)
    sets = json.loads(Path(options.sets).read_text("utf-8"))[: options.first]
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    draws = [
        draw
        for each in sets
        for draw in draws_of(
            each, Path(options.folder), keep, installation.resources(), options.sizes
        )
    ]
    installation.close()
    measured = {
        name: MeasuredIssues.joined([d.measured() for d in draws if d.repository == name])
        for name in dict.fromkeys(draw.repository for draw in draws)
    }
    report(draws, measured)
    if options.out:
        moments = moments_of(CHEAP, list(measured.values()))
        Path(options.out).write_text(json.dumps(moments) + "\n", encoding="utf-8")


def draws_of(
    each: dict[str, Any],
    folder: Path,
    keep: Path,
    resources: Resources,
    sizes: Sequence[int],
) -> Iterator[Draw]:
    """All draws of one repository, scored or as kept."""
    name, labels = each["repository"], tuple(each["labels"])
    data = None
    for size in sizes:
        for number in range(DRAWS[size]):
            file = keep / f"{name.replace('/', '+')}-{size}-{number}.safetensors"
            if not file.exists():
                data = data or _load(folder / each["file"], labels, keep)
                split = parted(data, size, number)
                if split is None:
                    continue
                print(name, size, number, file=sys.stderr, flush=True)
                save_arrays(file, scored(*split, resources, number))
            yield Draw(name, labels, size, number, load_arrays(file, "train_y"))


def _load(file: Path, labels: tuple[str, ...], keep: Path) -> TrainingSet:
    described = keep / "labels.json"
    described.write_text(json.dumps([{"name": name} for name in labels]), encoding="utf-8")
    return LabelledFiles(file, described, labels).load()


def scored(
    train: TrainingSet, test: TrainingSet, resources: Resources, seed: int
) -> dict[str, NDArray[Any]]:
    """What each member and the rival say."""
    reference = reference_texts(train)
    arrays: dict[str, NDArray[Any]] = {
        "train_y": train.targets,
        "test_y": test.targets,
        "share": shares(train),
        "count": counts(train),
    }
    for name in CHEAP if len(train) else CHEAP[:1]:
        member = fit_member(name, train, reference, resources, seed, Checkpoints(None))
        if member.out_of_fold is not None:
            arrays[f"{name}|oof"] = member.out_of_fold
        arrays[f"{name}|ref"] = member.reference
        arrays[f"{name}|test"] = member.strategy.score(test.issues)
    if len(train) >= 8:
        rival = LogisticRival(resources, seed).fit(train)
        arrays["rival"] = rival.predict(test.issues).decided
    return arrays


def report(draws: Sequence[Draw], measured: dict[str, MeasuredIssues]) -> None:
    """Mean curves, and how the chain's rises."""
    curves: dict[str, dict[int, dict[str, list[F1]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    priors: dict[str, FeatureMoments] = {}
    for draw in draws:
        owner = draw.repository.partition("/")[0]
        if owner not in priors:
            others = [m for name, m in measured.items() if name.partition("/")[0] != owner]
            priors[owner] = FeatureMoments.from_json(moments_of(CHEAP, others))
        for method, decided in decisions(draw, priors[owner]).items():
            curves[method][draw.size][draw.repository].append(f1(decided, draw.truth))
    sizes = sorted(curves["chain"])
    complete = set.intersection(*(set(curves["chain"][size]) for size in sizes if size <= 128))
    print(f"{len(complete)} of {len(measured)} repositories have all sizes up to 128")
    print("| method | " + " | ".join(map(str, sizes)) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for method, by_size in curves.items():
        cells = [_mean(by_size.get(size, {}), complete) for size in sizes]
        print(f"| {method} | " + " | ".join(cells) + " |")
    for before, after in pairwise(sizes):
        print(_step(curves["chain"][before], curves["chain"][after], before, after))


def decisions(draw: Draw, prior: FeatureMoments) -> dict[str, NDArray[np.bool_]]:
    """Labels that each method gives the issues of the test."""
    train = draw.train
    stage = Stage.fit(draw.members(), train, prior)
    opinion = stage.opinion({name: draw.scores(name, "test") for name in stage.members})
    always = not len(train) or bool(train.targets.any(axis=1).mean() > 0.5)
    alone = draw.scores("zero-shot", "ref").astype(float)
    thresholds = best_expected_f1(alone, micro_share(0))
    given = {
        "chain": _with_top(opinion.scores, opinion.thresholds, always=always),
        "zero-shot": _with_top(draw.scores("zero-shot", "test"), thresholds, always=always),
    }
    if "rival" in draw.arrays:
        given[RIVAL] = draw.arrays["rival"].astype(bool)
    return given


def _with_top(scores: NDArray[Any], thresholds: NDArray[Any], *, always: bool) -> NDArray[np.bool_]:
    decided = np.asarray(scores >= thresholds)
    if always:
        without = np.flatnonzero(~decided.any(axis=1))
        decided[without, scores[without].argmax(axis=1)] = True
    return decided


def f1(decided: NDArray[np.bool_], truth: NDArray[np.bool_]) -> F1:
    """Micro F1, and macro F1 over the labels that occur."""
    hits = (decided & truth).sum(axis=0)
    total = decided.sum(axis=0) + truth.sum(axis=0)
    occur = truth.any(axis=0)
    macro = (2 * hits / np.maximum(total, 1))[occur].mean() if occur.any() else 0.0
    return float(2 * hits.sum() / max(total.sum(), 1)), float(macro)


def _mean(by_repository: dict[str, list[F1]], of: set[str]) -> str:
    rows = [np.mean(values, axis=0) for name, values in by_repository.items() if name in of]
    return "{:.3f}/{:.3f}".format(*np.mean(rows, axis=0)) if rows else ""


def _step(before: dict[str, list[F1]], after: dict[str, list[F1]], small: int, large: int) -> str:
    gains = np.array(
        [
            np.mean(after[name], axis=0) - np.mean(before[name], axis=0)
            for name in before
            if name in after
        ]
    )
    if not len(gains):
        return f"{small} to {large}: no repository has both"
    error = gains.std(axis=0) / np.sqrt(max(len(gains) - 1, 1))
    micro, macro = (
        f"{m:+.3f} (± {1.96 * e:.3f})" for m, e in zip(gains.mean(0), error, strict=True)
    )
    better = (gains > 0).sum(axis=0)
    return (
        f"{small} to {large}: micro {micro}, macro {macro}; of {len(gains)} repositories "
        f"{better[0]} and {better[1]} have more"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets")
    parser.add_argument("folder")
    parser.add_argument("--keep", default="var/across")
    parser.add_argument(
        "--sizes", type=lambda text: [int(each) for each in text.split(",")], default=list(DRAWS)
    )
    parser.add_argument("--first", type=int, help="only so many repositories")
    parser.add_argument("--out", help="where to write the moments of all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
