"""Thresholds for F1, chosen from calibrated probabilities alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MICRO_SHARES = ((0, 1.0), (8, 0.75), (128, 0.25))
"""How much micro F1 counts beside macro F1 when the two want different cuts, at so many labelled
issues, in between by their logarithm: while a rare label's threshold is a guess, it costs micro F1
more surely than it brings macro F1. Chosen on 23 repositories, at 0 on 17 (docs/benchmarks.md)."""

ROUNDS = 20
NEVER = 2.0
"""A threshold that no probability reaches."""


def micro_share(n_labelled: int) -> float:
    """See `MICRO_SHARES`."""
    counts, shares = zip(*MICRO_SHARES, strict=True)
    return float(np.interp(np.log2(1 + n_labelled), np.log2(1 + np.array(counts)), shares))


def best_expected_f1(probabilities: Array, share_of_micro: float) -> Array:
    """Thresholds that maximise expected F1 over issues whose probabilities are calibrated.

    With p as probabilities, giving a label to its m most probable issues has expected F1 of
    2 * (sum of those p) / (m + sum of all p), up to terms that vanish with the number of issues
    (Lipton, Elkan, Naryanaswamy 2014, https://arxiv.org/abs/1402.1892). Each label has a best m
    for macro F1 by itself; for micro F1 the labels share numerator and denominator, so they are
    improved in turn until none moves.

    :param probabilities: *Shape:* (n_issues, n_labels), of issues nobody needs to have labelled.
    :param share_of_micro: see `micro_share`.
    :returns: *Shape:* (n_labels,)
    """
    n_issues, n_labels = probabilities.shape
    if not n_issues:
        return np.full(n_labels, 0.5)
    ranked = -np.sort(-probabilities, axis=0)
    hits = np.vstack([np.zeros(n_labels), np.cumsum(ranked, axis=0)])
    n_given = np.arange(n_issues + 1, dtype=np.float64)
    expected = probabilities.sum(axis=0)
    macro = 2 * hits / (n_given[:, None] + expected)
    chosen = macro.argmax(axis=0)
    labels = np.arange(n_labels)
    for _ in range(ROUNDS):
        before = chosen.copy()
        for label in labels:
            others = labels != label
            hits_of_others = hits[chosen[others], labels[others]].sum()
            size = chosen[others].sum() + expected.sum()
            micro = 2 * (hits_of_others + hits[:, label]) / (size + n_given)
            worth = share_of_micro * micro + (1 - share_of_micro) * macro[:, label] / n_labels
            chosen[label] = int(worth.argmax())
        if (chosen == before).all():
            break
    return np.array([_cut(ranked[:, label], chosen[label]) for label in labels])


def _cut(ranked: Array, chosen: int) -> float:
    """Between the last probability that is given and the first that is not."""
    if chosen == 0:
        return NEVER
    after = ranked[chosen] if chosen < len(ranked) else 0.0
    return float((ranked[chosen - 1] + after) / 2)
