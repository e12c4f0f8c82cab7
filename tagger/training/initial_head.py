"""A head to start from: logistic regression on the vectors of the body as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INVERSE_PENALTY = 10.0
"""scikit-learn's C. On unit vectors the usual 1.0 leaves the head all but flat."""


def logistic_head(
    vectors: NDArray[np.float32],
    targets: NDArray[np.bool_],
    weights: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias of one logistic regression a label.

    Fine-tuning from a random head bends the body to fit noise in its first steps; from a head
    that already fits, it bends only where that pays. Source: Kumar et al. 2022, "Fine-Tuning can
    Distort Pretrained Features and Underperform Out-of-Distribution", section 4 (LP-FT),
    https://arxiv.org/abs/2202.10054

    :param vectors: *Shape:* (n_issues, width), unit length.
    :param targets: *Shape:* (n_issues, n_labels); of a column with one value only, the head
        learns the smoothed share and nothing else.
    :param weights: how much each target counts, all the same where None. *Shape:* as `targets`.
    :returns: weights of *Shape:* (n_labels, width), bias of *Shape:* (n_labels,).
    """
    from sklearn.linear_model import LogisticRegression

    rows = np.zeros((targets.shape[1], vectors.shape[1]), dtype=np.float32)
    bias = np.zeros(targets.shape[1], dtype=np.float32)
    for label, column in enumerate(targets.T):
        if column.all() or not column.any():
            share = (column.sum() + 0.5) / (len(column) + 1)
            bias[label] = np.log(share / (1 - share))
            continue
        counting = None if weights is None else weights[:, label]
        fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=500)
        fitted.fit(vectors, column, counting)
        rows[label], bias[label] = fitted.coef_[0], fitted.intercept_[0]
    return rows, bias
