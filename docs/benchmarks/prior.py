"""Measure the chain's prior: how members' features part issues with a label from those without.

    python docs/benchmarks/prior.py --members zero-shot,linear,naive-bayes,knn,contrastive,adapted \
        --out tagger/chain/prior.json  ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… …

Each repository is given as its issues, its labels and the label set, separated by colons. From
each, small training sets are drawn at random; every member learns from one and scores issues that
it has not seen. Only means and covariances of the features leave this script: no text does.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.options import listed
from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.members import REFERENCE, counts, reference_texts, shares
from tagger.chain.prior import NOTHING, RIDGE, FeatureMoments, strongest_rival
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.statistics.log_odds import UsualLogOdds, feature_names, stack
from tagger.strategies import create
from tagger.strategies.adapted import ENOUGH_UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from tagger.domain.strategy import Resources, Scores

    Rows = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
    """Features, share, count and truth of issues and labels."""

COUNTS = (NOTHING, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
SIZES = {0: 4, 8: 4, 16: 4, 32: 3, 64: 2, 128: 2, 256: 1, 512: 1, 1000: 1}
"""Training issues, and how many sets of that size are drawn."""

HELD_OUT = 250
MAX_ROWS = 4000
"""Newest rows of a repository: the rest would only be encoded."""


def main() -> None:
    """Draw, fit, collect moments, write them."""
    arguments = _arguments()
    members = tuple(listed(arguments.members))
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    rows = [measured(given, members, resources, arguments) for given in arguments.repositories]
    moments = measure(members, rows)
    Path(arguments.out).write_text(json.dumps(moments) + "\n", encoding="utf-8")


def measured(
    given: str, members: Sequence[str], resources: Resources, arguments: argparse.Namespace
) -> Rows:
    """All rows of one repository: computed, or as a run before kept them."""
    kept = (
        Path(arguments.keep)
        / f"{Path(given.split(':', maxsplit=1)[0]).stem}-{'-'.join(members)}.npz"
    )
    if not kept.exists():
        drawn = list(
            draws(load(given, MAX_ROWS), members, resources, arguments.largest, arguments.share)
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, *(np.concatenate(parts) for parts in zip(*drawn, strict=True)))
    with np.load(kept) as arrays:
        features, share, known, truth = (arrays[f"arr_{place}"] for place in range(4))
        return features, share, known, truth


def load(given: str, newest: int | None = None) -> TrainingSet:
    """A repository's labelled issues with the label set, the other texts as unlabelled."""
    import gzip

    issues, labels, names = given.split(":", 2)
    wanted = listed(names)
    opener = gzip.open if issues.endswith(".gz") else open
    with opener(issues, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    described = {
        row["name"]: row.get("description") or "" for row in json.loads(Path(labels).read_text())
    }
    wanted = wanted or tuple(described)
    texts: list[IssueText] = []
    targets: list[list[bool]] = []
    others: list[IssueText] = []
    for row in rows[-(newest or len(rows)) :]:
        carried = {label["name"] if isinstance(label, dict) else label for label in row["labels"]}
        text = IssueText.of(row["title"], row["body"])
        if "pull_request" not in row and carried & set(wanted):
            texts.append(text)
            targets.append([name in carried for name in wanted])
        elif "pull_request" not in row:
            others.append(text)
    return TrainingSet(
        tuple(Label(name, described.get(name, "")) for name in wanted),
        tuple(range(len(texts))),
        tuple(texts),
        np.array(targets),
        tuple(others),
    )


def draws(
    data: TrainingSet, members: Sequence[str], resources: Resources, largest: int, share: float
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Features of issues held out, for training sets of every size."""
    for size, times in SIZES.items():
        if size + min(HELD_OUT, len(data) // 2) > len(data) or size > largest:
            continue
        for draw in range(max(1, round(times * share))):
            order = np.random.default_rng((size, draw)).permutation(len(data))
            train = data.subset(order[:size])
            test = data.subset(order[size : size + HELD_OUT])
            rest = tuple(data.issues[row] for row in order[size + HELD_OUT :])
            # the same texts every time where there are enough: what adapts to them does so once
            plenty = len(data.unlabelled) >= ENOUGH_UNLABELLED
            train = TrainingSet(
                train.labels,
                train.numbers,
                train.issues,
                train.targets,
                data.unlabelled if plenty else data.unlabelled + rest,
                recent=rest[: 2 * REFERENCE],
            )
            print(f"{size} issues, draw {draw + 1}", file=sys.stderr, flush=True)
            rows = one_draw(train, test, members, resources, draw)
            yield *rows, np.full(len(test), size), np.full(len(test), draw)  # for unseen.py


def one_draw(
    train: TrainingSet, test: TrainingSet, members: Sequence[str], resources: Resources, seed: int
) -> Rows:
    """Rows of (features, share, positives, truth), one for each issue and label."""
    strategies = [create(name, resources, seed=seed) for name in members]
    able = {one.name: one.fit(train) for one in strategies if len(train) or not one.needs_examples}
    constant = shares(train)[None].astype(np.float32)

    def said(name: str, issues: Sequence[IssueText]) -> Scores:
        return able[name].score(issues) if name in able else constant.repeat(len(issues), axis=0)

    reference = reference_texts(train)
    usual = {name: UsualLogOdds.of(said(name, reference)) for name in members}
    features = stack({name: said(name, test.issues) for name in members}, usual)
    shape = test.targets.shape
    return (
        features,
        np.broadcast_to(shares(train), shape),
        np.broadcast_to(counts(train), shape),
        test.targets,
    )


def measure(members: Sequence[str], repositories: Sequence[Rows]) -> dict[str, Any]:
    """Moments by count, from each repository's (features, share, count, truth).

    Neighbouring counts lend each other a hand, by a kernel on the logarithm of the count. Each
    repository weighs the same, however many rows it gave: the next one may be like any of them.
    """
    names = feature_names(tuple(members))
    flat = [[part.reshape(-1, *part.shape[2:]) for part in rows] for rows in repositories]
    features, share, known, truth = (np.concatenate(parts) for parts in zip(*flat, strict=True))
    say = np.concatenate([np.full(len(rows[1]), 1 / len(rows[1])) for rows in flat])
    say *= len(say) / len(flat)
    tables: dict[str, list[Any]] = {
        name: [] for name in ("present", "absent", "covariance", "correction")
    }
    for count in COUNTS:
        weight = say * nearness(known, count)
        present, absent, covariance = classes(features, weight, truth)
        slopes = np.linalg.solve(covariance + RIDGE * np.eye(len(names)), present - absent)
        discriminant = features @ slopes - (present + absent) @ slopes / 2
        columns = np.column_stack([discriminant, np.log(share / (1 - share))])
        row = (present, absent, covariance, logistic(columns, truth, weight))
        for table, value in zip(tables.values(), row, strict=True):
            table.append(value)
    data: dict[str, Any] = {"counts": list(COUNTS), "features": list(names), **tables}
    data["competition"] = [[0.0, 1.0, 0.0]] * len(COUNTS)
    data["competition"] = competition(FeatureMoments.from_json(data), repositories, say)
    return {
        key: value if key in {"counts", "features"} else np.round(np.array(value), 5).tolist()
        for key, value in data.items()
    }


def nearness(known: NDArray[Any], count: float) -> NDArray[Any]:
    """Weight of each row for the bucket of `count`; nothing labelled is a world of its own."""
    if count <= 0:
        return np.asarray(known == count, dtype=float)
    centre = np.log2(1 + min(count, known.max()))
    return np.asarray(np.exp(-2 * (np.log2(1 + known) - centre) ** 2) * (known > 0))


def classes(
    features: NDArray[Any], weight: NDArray[Any], truth: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Means of issues with and without the label, and the covariance within both."""
    yes, no = weight * truth, weight * ~truth
    present = (features * yes[:, None]).sum(0) / yes.sum()
    absent = (features * no[:, None]).sum(0) / no.sum()
    centred = features - np.where(truth[:, None], present, absent)
    # each kind of issue counts half: absent ones would drown the present ones
    half = 0.5 * yes / yes.sum() + 0.5 * no / no.sum()
    return present, absent, (centred * half[:, None]).T @ centred


def competition(
    moments: FeatureMoments, repositories: Sequence[Rows], say: NDArray[Any]
) -> list[list[float]]:
    """What a label's log odds lose to its strongest rival's on the same issue."""
    own: list[NDArray[Any]] = []
    rival: list[NDArray[Any]] = []
    counts_: list[NDArray[Any]] = []
    truths: list[NDArray[Any]] = []
    for features, share, counted, right in repositories:
        weights = moments.weigh(moments.features, counted.reshape(-1))
        alone = weights.uncontested(features.reshape(-1, features.shape[-1]), share.reshape(-1))
        alone = alone.reshape(right.shape)
        own.append(alone.ravel())
        rival.append(strongest_rival(alone).ravel())
        counts_.append(counted.ravel())
        truths.append(right.ravel())
    columns = np.column_stack([np.concatenate(own), np.concatenate(rival)])
    known, truth = np.concatenate(counts_), np.concatenate(truths)
    return [logistic(columns, truth, say * nearness(known, count)) for count in COUNTS]


def logistic(columns: NDArray[Any], truth: NDArray[Any], weight: NDArray[Any]) -> list[float]:
    """Intercept and slopes of a weighted logistic regression."""
    from sklearn.linear_model import LogisticRegression

    kept = weight > 1e-3
    fitted = LogisticRegression(C=100, max_iter=1000).fit(columns[kept], truth[kept], weight[kept])
    return [fitted.intercept_[0], *fitted.coef_[0]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--members", required=True)
    parser.add_argument("--largest", type=int, default=1000, help="largest training set drawn")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of draws")
    parser.add_argument("--keep", default="var/prior", help="folder for each repository's rows")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
