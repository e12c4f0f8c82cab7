"""How far the prior carries: each repository judged by the numbers of all the others.

    python docs/benchmarks/unseen.py --members zero-shot,linear,naive-bayes,knn,contrastive,adapted

reads the rows that `issue-tagger prior` kept in `--keep`, makes a prior without one repository
after the other, and decides about that one's issues as the chain does before it has evidence of
its own. Prints micro and macro F1 by number of training issues, mean of the draws, beside
zero-shot as it stands without a labelled issue.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.learning.prior_files import kept_rows
from tagger.chain.blend import Blend
from tagger.chain.members import CARDINALITY_WEIGHT, DEAR, USUAL_CARDINALITY
from tagger.chain.prior import FeatureMoments
from tagger.chain.prior_measurement import moments_of
from tagger.statistics.expected_f1 import best_expected_f1, micro_share
from tagger.statistics.metrics import Counts

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from tagger.chain.prior_measurement import MeasuredIssues

SIZES = (0, 8, 16, 32, 64, 128, 256)


def main() -> None:
    """One line a repository, for the chain and for zero-shot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", required=True)
    parser.add_argument("--keep", default="var/prior")
    given = parser.parse_args()
    members = tuple(given.members.split(","))
    ending = f"-{'-'.join(members)}.safetensors"
    kept = {file.name.split(".")[0]: file for file in sorted(Path(given.keep).glob(f"*{ending}"))}
    rows = {name: kept_rows(file) for name, file in kept.items()}
    print("| repository | " + " | ".join(f"{size}" for size in SIZES) + " |")
    print("|---" * (len(SIZES) + 1) + "|")
    for name, own in rows.items():
        others = [part for other, part in rows.items() if other != name]
        prior = FeatureMoments.from_json(moments_of(members, others))
        print(f"| {name} | " + " | ".join(f1(prior, own, size) for size in SIZES) + " |")


def f1(prior: FeatureMoments, rows: MeasuredIssues, size: int) -> str:
    """Micro/macro F1 of the issues asked about after so many were learned from."""
    draws = np.unique(rows.draw[rows.size == size])
    chosen = [(rows.size == size) & (rows.draw == draw) for draw in draws]
    if not chosen:
        return ""
    counts = [
        judged(prior, rows.features[of], rows.share[of], rows.count[of], rows.truth[of], size)
        for of in chosen
    ]
    micro, macro = (
        np.mean([getattr(c, f"{kind}_f1") for c in counts]) for kind in ("micro", "macro")
    )
    return f"{micro:.3f}/{macro:.3f}"


def judged(
    prior: FeatureMoments,
    features: NDArray[Any],
    share: NDArray[Any],
    known: NDArray[Any],
    truth: NDArray[Any],
    size: int,
) -> Counts:
    """Decisions by the prior alone, counted."""
    names = [name for name in prior.features if joins(name.split(":")[0], size)]
    columns = [prior.features.index(name) for name in names]
    features, n_labels = features[..., columns], truth.shape[1]
    blend = Blend(prior.weigh(names, known[0]), share[0], np.zeros((n_labels, 3 + len(names) // 2)))
    carried = known[0].sum() * (size > 0) + CARDINALITY_WEIGHT * USUAL_CARDINALITY
    each = min(carried / (size + CARDINALITY_WEIGHT), n_labels / 2)
    probabilities = blend.matched(features, each).probabilities(features)
    decided = probabilities >= best_expected_f1(probabilities, micro_share(size))
    without = np.flatnonzero(~decided.any(axis=1))
    decided[without, probabilities[without].argmax(axis=1)] = True
    return Counts.of(truth, decided)


def joins(member: str, size: int) -> bool:
    """Whether the chain would have this member at so many labelled issues."""
    return member == "zero-shot" if size == 0 else size >= DEAR.get(member, 0)


if __name__ == "__main__":
    main()
