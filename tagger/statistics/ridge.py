"""Ridge regression in its dual form, for many labels at once, with left-out predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

DENSE_LIMIT = 4000
"""Issues up to which the Gram matrix is decomposed (128 MB, some seconds); beyond, iterations."""

ITERATIONS = 60


def dense(gram: Matrix, targets: Matrix, penalties: Sequence[float]) -> tuple[Matrix, Matrix]:
    """Solve by one eigendecomposition; the penalty with the least left-out error is taken.

    :param gram: *Shape:* (n_issues, n_issues), inner products.
    :param targets: *Shape:* (n_issues, n_labels), 0 or 1.
    :returns: dual coefficients and leave-one-out predictions, both (n_issues, n_labels).
    """
    mean = targets.mean(axis=0)
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0)
    rotated = vectors.T @ (targets - mean)
    best: tuple[float, Matrix, Matrix] | None = None
    for penalty in penalties:
        shrunk = 1 / (values + penalty)
        duals = vectors @ (shrunk[:, None] * rotated)
        own_part = (vectors**2) @ shrunk
        left_out = targets - duals / own_part[:, None]
        error = float(((targets - left_out) ** 2).mean())
        if best is None or error < best[0] - 1e-12:
            best = (error, duals, left_out)
    if best is None:
        raise ValueError("got no penalty to try, expected at least one")
    return best[1], best[2]


def iterative(
    words: Any,
    vectors: NDArray[np.float32],
    targets: Matrix,
    folds: Sequence[NDArray[np.int_]],
    penalty: float = 1.0,
) -> tuple[Matrix, Matrix]:
    """Solve by conjugate gradients without ever holding the Gram matrix; left-out by folds.

    :param words: *Shape:* (n_issues, n_terms), sparse.
    :param vectors: *Shape:* (n_issues, width)
    :returns: as `dense`.
    """
    left_out = np.empty_like(targets)
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(targets)), fold)
        duals = _conjugate(words[rest], vectors[rest], targets[rest], penalty)
        raw = words[fold] @ (words[rest].T @ duals) + vectors[fold] @ (vectors[rest].T @ duals)
        left_out[fold] = raw + targets[rest].mean(axis=0)
    return _conjugate(words, vectors, targets, penalty), left_out


def _conjugate(words: Any, vectors: Any, targets: Matrix, penalty: float) -> Matrix:
    """Conjugate gradients for all labels side by side (Hestenes and Stiefel 1952)."""

    def times(x: Matrix) -> Matrix:
        product = words @ (words.T @ x) + vectors @ (vectors.T @ x) + penalty * x
        return np.asarray(product, dtype=np.float64)

    solution = np.zeros_like(targets)
    residual = targets - targets.mean(axis=0)
    direction, size = residual.copy(), (residual**2).sum(axis=0)
    for _ in range(ITERATIONS):
        ahead = times(direction)
        step = size / np.maximum((direction * ahead).sum(axis=0), 1e-12)
        solution += step * direction
        residual = residual - step * ahead
        new_size = (residual**2).sum(axis=0)
        if float(new_size.max()) < 1e-6:
            break
        direction = residual + (new_size / np.maximum(size, 1e-12)) * direction
        size = new_size
    return solution
