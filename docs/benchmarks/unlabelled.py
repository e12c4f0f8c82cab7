r"""Strategies that learn from unlabelled issues or from prompts, beside the others, fit by fit.

    python docs/benchmarks/unlabelled.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --out reports/hf \
        --strategies fine-tuned,contrastive,ust,self-training,uda,pet --slices 16,64 --seeds 2

One fit a cell, on the slices of `issue-tagger evaluate` (pool and test of 1,000), judged on
`--test` of the test issues; a label is given from 0.5 on, or else the likeliest one, for every
strategy but a chain, which has thresholds of its own. (`evaluate` chooses thresholds on folds,
which takes four fits a cell.) `self-training` is the plain kind, ust's baseline; `ust-bare` and
`uda-bare` do without the labels' wordings; `cheap` is the chain of the four members that need no
tuning, `cheap+NAME` the same with one more. `--prior` names a prior made without the repository.
A killed run goes on when it is called again; the tables show what there is, with paired bootstrap
intervals (95 %) of the difference to `fine-tuned` over issues.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.chain import Chain
from tagger.chain.prior import FeatureMoments
from tagger.evaluation.runner import _recent
from tagger.evaluation.slices import SplitPlan, split
from tagger.statistics.f1_thresholds import plain_thresholds
from tagger.statistics.metrics import average_precision, macro_f1, micro_f1
from tagger.strategies import create
from tagger.strategies.uda import UnsupervisedAugmentation
from tagger.strategies.ust import PlainSelfTraining, UncertaintySelfTraining
from tagger.text.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources

CHEAP = ("zero-shot", "linear", "naive-bayes", "knn")
RESAMPLES = 1000


class BareUst(UncertaintySelfTraining):
    """Without the labels' wordings."""

    wordings = False


class BareUda(UnsupervisedAugmentation):
    """Without the labels' wordings."""

    wordings = False


VARIANTS = {"self-training": PlainSelfTraining, "ust-bare": BareUst, "uda-bare": BareUda}


def main() -> None:
    options = _options()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if options.repository:
        if options.prior:
            moments = FeatureMoments.from_json(json.loads(Path(options.prior).read_text("utf-8")))
            FeatureMoments.shipped = classmethod(lambda _: moments)  # type: ignore[method-assign,assignment]
        container = build(load_settings())
        container.store.migrate()
        data = labelled_files(options.repository).load()
        for cell in _missing(options, out):
            _run(data, container.resources(), options, cell, out / ("_".join(map(str, cell))))
    print(table(out))


def _missing(options: argparse.Namespace, out: Path) -> Iterator[tuple[str, str, int]]:
    for seed in range(options.first_seed, options.seeds):
        for piece in options.slices.split(","):
            for name in options.strategies.split(","):
                if not (out / f"{name}_{piece}_{seed}.npz").is_file():
                    yield name, piece, seed


def _run(
    data: TrainingSet,
    resources: Resources,
    options: argparse.Namespace,
    cell: tuple[str, str, int],
    path: Path,
) -> None:
    name, piece, seed = cell
    plan = SplitPlan("stratified", (piece,), 1000, 1000)
    part = split(data, plan, seed, _groups(data))
    train = replace(data.subset(part.slices[0].rows), recent=_recent(data, part))
    rows = np.random.default_rng(seed).permutation(part.test)[: options.test]
    test = data.subset(np.sort(rows))
    strategy = _made(name, resources, seed)
    start = time.process_time()
    strategy.fit(train)
    seconds = time.process_time() - start
    if isinstance(strategy, Chain):
        prediction = strategy.predict(test.issues)
        scores, decided = prediction.scores, prediction.decided
    else:
        scores = strategy.score(test.issues)
        decided = plain_thresholds(len(data.labels)).decide(scores)
    np.savez(
        path.with_suffix(".npz.partial").open("wb"),
        scores=scores,
        decided=decided,
        truth=test.targets,
        seconds=seconds,
    )
    path.with_suffix(".npz.partial").rename(path.with_suffix(".npz"))
    print(*cell, f"{micro_f1(test.targets, decided):.3f} {seconds:.0f} s", flush=True)


def _made(name: str, resources: Resources, seed: int) -> Any:
    if name in VARIANTS:
        return VARIANTS[name](resources, seed=seed)
    if name.startswith("cheap"):
        more = tuple(name.split("+")[1:])
        return Chain(resources, seed=seed, members=(*CHEAP, *more))
    return create(name, resources, seed=seed)


_GROUPS: list[Any] = []


def _groups(data: TrainingSet) -> Any:
    if not _GROUPS:
        _GROUPS.append(duplicate_groups(data.issues))
    return _GROUPS[0]


def table(out: Path) -> str:
    """Micro and macro F1, average precision, seconds and the difference to `fine-tuned`."""
    cells = {tuple(file.stem.split("_")): dict(np.load(file)) for file in sorted(out.glob("*.npz"))}
    names = list(dict.fromkeys(name for name, _, _ in cells))
    pieces = sorted({piece for _, piece, _ in cells}, key=float)
    lines = [
        "| method | issues | seeds | F1 micro/macro | AP micro/macro | over fine-tuned, micro F1 "
        "| macro F1 | fit, s |",
        "|---" * 8 + "|",
    ]
    for piece in pieces:
        for name in names:
            seeds = [seed for n, p, seed in cells if (n, p) == (name, piece)]
            if seeds:
                lines.append(_row(cells, name, piece, seeds))
    return "\n".join(lines)


def _row(cells: dict[Any, Any], name: str, piece: str, seeds: list[str]) -> str:
    of = [cells[name, piece, seed] for seed in seeds]
    figures = np.mean([_figures(cell) for cell in of], axis=0)
    paired = [
        (cells["fine-tuned", piece, seed], cells[name, piece, seed])
        for seed in seeds
        if ("fine-tuned", piece, seed) in cells
    ]
    micro, macro = _differences(paired) if paired and name != "fine-tuned" else ("", "")
    return (
        f"| {name} | {piece} | {len(seeds)} | {figures[0]:.3f}/{figures[1]:.3f} "
        f"| {figures[2]:.3f}/{figures[3]:.3f} | {micro} | {macro} "
        f"| {np.mean([cell['seconds'] for cell in of]):.0f} |"
    )


def _figures(cell: Any) -> tuple[float, float, float, float]:
    truth, scores = cell["truth"].astype(bool), cell["scores"].astype(float)
    there = truth.any(axis=0)
    return (
        micro_f1(truth, cell["decided"]),
        macro_f1(truth, cell["decided"]),
        float(average_precision(truth.reshape(-1, 1), scores.reshape(-1, 1))[0]),
        float(average_precision(truth[:, there], scores[:, there]).mean()),
    )


def _differences(paired: list[Any]) -> tuple[str, str]:
    """Mean differences over seeds with 95 % intervals of a paired bootstrap over issues."""
    drawn = np.zeros((RESAMPLES, 2))
    rng = np.random.default_rng(0)
    for at in range(RESAMPLES):
        drawn[at] = np.mean([_difference(base, other, rng) for base, other in paired], axis=0)
    mean = np.mean([_difference(base, other, None) for base, other in paired], axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    texts = [f"{m:+.3f} ({a:+.3f} to {b:+.3f})" for m, a, b in zip(mean, low, high, strict=True)]
    return texts[0], texts[1]


def _difference(base: Any, other: Any, rng: np.random.Generator | None) -> tuple[float, float]:
    truth = base["truth"].astype(bool)
    rows = np.arange(len(truth)) if rng is None else rng.integers(len(truth), size=len(truth))
    truth, decided, of_base = truth[rows], other["decided"][rows], base["decided"][rows]
    return (
        micro_f1(truth, decided) - micro_f1(truth, of_base),
        macro_f1(truth, decided) - macro_f1(truth, of_base),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", nargs="?", help="ISSUES:LABELS:NAMES; none: only the table")
    parser.add_argument("--strategies", default="fine-tuned,contrastive,ust,self-training,uda,pet")
    parser.add_argument("--slices", default="8,16,32,64,128")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--test", type=int, default=400)
    parser.add_argument("--prior", help="in place of the one that is shipped")
    parser.add_argument("--out", default="reports/unlabelled")
    return parser.parse_args()


if __name__ == "__main__":
    main()
