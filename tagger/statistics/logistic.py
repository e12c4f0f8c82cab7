"""Logistic regression with a Gaussian prior, by Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MAX_STEPS = 50
TOLERANCE = 1e-6
MIN_CURVATURE = 1e-6
"""Of one row: where all is certain, a step would otherwise go anywhere."""


def fit_logistic(
    columns: Array,
    truth: NDArray[np.bool_],
    centre: Array,
    precision: Array,
    offset: Array | float = 0.0,
) -> Array:
    """The most likely coefficients under the prior.

    :param columns: *Shape:* (n_rows, n_columns)
    :param truth: *Shape:* (n_rows,)
    :param centre: the prior's mean: the coefficients without evidence. *Shape:* (n_columns,)
    :param precision: of the prior, one over its variance. *Shape:* (n_columns,)
    :param offset: log odds that stand before the coefficients. *Shape:* (n_rows,)
    :returns: *Shape:* (n_columns,)
    """
    coefficients = centre.copy()
    target = truth.astype(np.float64)
    for _ in range(MAX_STEPS):
        p = expit(offset + columns @ coefficients)
        slope = columns.T @ (p - target) + precision * (coefficients - centre)
        weights = np.maximum(p * (1 - p), MIN_CURVATURE)
        curvature = (columns.T * weights) @ columns + np.diag(precision)
        step = np.linalg.solve(curvature, slope)
        coefficients = coefficients - np.clip(step, -1, 1)
        if float(np.abs(step).max()) < TOLERANCE:
            break
    return coefficients
