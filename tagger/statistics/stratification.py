"""Iterative stratification (scikit-multilearn's), seeded and brought to exact sizes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int_]
    """*Shape:* (n_chosen,), ascending row numbers."""

FOLDS_FROM = 24
"""Labelled issues from which out-of-fold scores tell more than they cost."""

PAIRS = 2
"""Order of the stratification: pairs of labels are kept in proportion, not only single labels."""


def stratified_sample(targets: NDArray[np.bool_], size: int, seed: int) -> Rows:
    """Choose exactly `size` rows whose labels are in proportion to the whole.

    Iterative stratification only comes near a size; the difference is made up at random.

    :param targets: *Shape:* (n_issues, n_labels)
    :returns: ascending rows, all of them where `size` is no smaller than their number.
    """
    everyone = len(targets)
    if size >= everyone:
        return np.arange(everyone)
    if size <= 0:
        return np.arange(0)
    chosen = _folds(targets, (size / everyone, 1 - size / everyone), seed)[0]
    return _to_size(chosen, everyone, size, np.random.default_rng(seed))


def n_folds(n_issues: int, *, tuning: bool) -> int:
    """In how many folds to cut issues for out-of-fold scores; 0: too few to be worth their time.

    :param tuning: the strategy takes a minute where others take a moment: few folds, two halves
        where there are issues enough, and none where the thresholds that follow would be luck.
    """
    if not tuning:
        return 5
    if n_issues < FOLDS_FROM:
        return 0
    return 3 if n_issues <= 256 else 2


def stratified_folds(targets: NDArray[np.bool_], n_folds: int, seed: int) -> list[Rows]:
    """Deal all rows into `n_folds` disjoint folds that look alike.

    :param targets: *Shape:* (n_issues, n_labels)
    :returns: one ascending array of rows for each fold that got any.
    """
    if n_folds < 2 or len(targets) < 2:
        return [np.arange(len(targets))] if len(targets) else []
    folds = _folds(targets, (1 / n_folds,) * n_folds, seed)
    return [fold for fold in folds if len(fold)]


def _folds(targets: NDArray[np.bool_], shares: Sequence[float], seed: int) -> list[Rows]:
    """Folds by Sechidis et al. 2011 with the pairs of Szymański and Kajdanowicz 2017."""
    from skmultilearn.model_selection import IterativeStratification

    order = np.random.default_rng(seed).permutation(len(targets))  # or ties follow issue numbers
    dealer = IterativeStratification(
        n_splits=len(shares), order=PAIRS, sample_distribution_per_fold=list(shares)
    )
    shuffled = targets[order].astype(int)
    with _numpy_seeded(seed):
        dealt = [test for _, test in dealer.split(np.zeros((len(order), 1)), shuffled)]
    return [np.sort(order[np.asarray(rows, dtype=int)]) for rows in dealt]


@contextmanager
def _numpy_seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator and put its state back.

    scikit-multilearn 0.2.0 draws from the global generator only; its `random_state` is refused
    by today's scikit-learn.
    """
    state = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(state)


def _to_size(chosen: Rows, everyone: int, size: int, rng: np.random.Generator) -> Rows:
    if len(chosen) > size:
        return np.sort(rng.choice(chosen, size, replace=False))
    others = np.setdiff1d(np.arange(everyone), chosen)
    added = rng.choice(others, size - len(chosen), replace=False)
    return np.sort(np.concatenate([chosen, added]))
