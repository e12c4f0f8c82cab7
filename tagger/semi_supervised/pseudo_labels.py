"""Labels for unlabelled texts: calibrated, balanced by class, chosen and weighed by certainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, expit, logit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    """*Shape:* (n_texts, n_labels)"""

LEAST = 1e-5
"""Probabilities are kept so far from 0 and 1."""

LEAST_VARIANCE = 1e-4
"""Added to a variance before it is inverted: of a few draws none is really certain."""

REACH = 30.0
"""Log odds within which a shift is looked for."""


@dataclass(frozen=True)
class PseudoLabels:
    """What unlabelled texts are taken to say.

    :ivar rows: of the texts. *Shape:* (n_chosen,)
    :ivar targets: *Shape:* (n_chosen, n_labels), in [0, 1].
    :ivar weights: how much each counts, 1 on average. *Shape:* (n_chosen, n_labels)
    """

    rows: NDArray[np.int_]
    targets: Matrix
    weights: Matrix


def aligned(probabilities: Matrix, shares: NDArray[np.float32]) -> Matrix:
    """Shift each label's log odds until its mean probability is its share.

    A classifier of a few issues says a label far too often or hardly ever; how often people give
    it is known better. Source: Berthelot et al. 2020, "ReMixMatch", section 3.1 (distribution
    alignment), https://arxiv.org/abs/1911.09785

    :param shares: *Shape:* (n_labels,), in (0, 1).
    """
    odds = logit(np.clip(probabilities, LEAST, 1 - LEAST).astype(float))
    return np.asarray(expit(odds + shifts_to(probabilities, shares)), dtype=np.float32)


def shifts_to(probabilities: Matrix, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is added to each label's log odds by `aligned`. *Shape:* (n_labels,)"""
    odds = logit(np.clip(probabilities, LEAST, 1 - LEAST).astype(float))
    shifts = [
        _shift(column, share) for column, share in zip(odds.T, shares.astype(float), strict=True)
    ]
    return np.array(shifts, dtype=np.float32)


def _shift(odds: NDArray[np.float64], share: float) -> float:
    return float(brentq(lambda shift: float(expit(odds + shift).mean()) - share, -REACH, REACH))


def most_likely(probabilities: Matrix, shares: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Give each label to as many texts as its share says, the likeliest; at least to one."""
    n_texts = len(probabilities)
    counts = np.clip(np.round(shares * n_texts), 1, n_texts).astype(int)
    ranks = np.argsort(np.argsort(-probabilities, axis=0, kind="stable"), axis=0)
    return np.asarray(ranks < counts)


def mutual_information(draws: Matrix) -> Matrix:
    """BALD: how much of a label's uncertainty is the network's own, in nats.

    Source: Houlsby et al. 2011, https://arxiv.org/abs/1112.5745; Gal, Islam, Ghahramani 2017.

    :param draws: *Shape:* (n_draws, n_texts, n_labels), each under other dropout.
    """
    information = _entropy(draws.mean(axis=0)) - _entropy(draws).mean(axis=0)
    return np.asarray(np.maximum(information, 0.0), dtype=np.float32)


def chosen_by_certainty(
    labels: NDArray[np.bool_], information: Matrix, size: int, rng: np.random.Generator
) -> NDArray[np.int_]:
    """Draw texts, for each label in proportion to how often it is given, easy ones rather.

    Within a label a text's chance falls with what the network does not know of it; texts without a
    label are a class of their own. Source: Mukherjee and Awadallah 2020, section 3.2.

    :param labels: which text is taken to carry which. *Shape:* (n_texts, n_labels)
    :returns: ascending rows, at most `size` of them.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    without = ~labels.any(axis=1)
    classes = [*labels.T, without]
    doubts = [*information.T, information.mean(axis=1)]
    per_text = size / max(1, sum(int(members.sum()) for members in classes))
    drawn: set[int] = set()
    for members, doubt in zip(classes, doubts, strict=True):
        rows = np.flatnonzero(members)
        if len(rows):
            sureness = np.log(2) - np.minimum(doubt[rows], np.log(2)) + LEAST
            n_drawn = min(len(rows), max(1, round(per_text * len(rows))))
            chances = sureness / sureness.sum()
            drawn.update(rng.choice(rows, n_drawn, replace=False, p=chances).tolist())
    return np.array(sorted(drawn)[:size], dtype=int)


def certainty(draws: Matrix) -> Matrix:
    """How much a pseudo-label counts: the log of its inverse variance, 1 on average.

    Source: Mukherjee and Awadallah 2020, "Uncertainty-aware Self-training for Few-shot Text
    Classification", section 3.3, https://arxiv.org/abs/2006.15315

    :param draws: *Shape:* (n_draws, n_texts, n_labels)
    :returns: *Shape:* (n_texts, n_labels), positive.
    """
    weights = np.log(1.0 / (draws.var(axis=0) + LEAST_VARIANCE))
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def draws_of(draw: Sequence[Matrix]) -> Matrix:
    """*Shape:* (n_draws, n_texts, n_labels)"""
    return np.stack(list(draw))


def _entropy(probabilities: Matrix) -> Matrix:
    return np.asarray(entr(probabilities) + entr(1 - probabilities))
