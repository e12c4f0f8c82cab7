"""Slices: a fixed test set for each seed, and nested training slices that never touch it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tagger.evaluation.errors import TooFewIssues
from tagger.statistics.stratification import stratified_sample
from tagger.text.duplicates import duplicate_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.statistics.stratification import Rows

ALL = "all"
SLICES = ("0", "8", "16", "32", "64", "128", ALL)
"""The slices of the contract, by name: target size, or all."""

TEST_SHARE, MAX_TEST = 0.3, 1000
"""The test set where nobody says how large: this share of the issues, at most so many."""

SplitKind = Literal["stratified", "temporal"]


@dataclass(frozen=True)
class SplitPlan:
    """How issues are parted; the same plan, data and seed give the same parts.

    :ivar kind: "stratified", or "temporal": train on issues filed before, test on those after.
    :ivar slices: names of slices, "0", "8" … "all".
    :ivar test_size: issues in the test set; None: a share (`TEST_SHARE`) of them.
    :ivar pool: labelled issues from which slices are drawn; None: all that are not test.
    :ivar holdout: numbers of the issues that make up the test set; they overrule `test_size`.
    """

    kind: SplitKind = "stratified"
    slices: tuple[str, ...] = SLICES
    test_size: int | None = None
    pool: int | None = None
    holdout: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name in self.slices:
            if name != ALL and not name.isdecimal():
                raise ValueError(f"a slice is a number of issues or {ALL!r}, got {name!r}")
        for size in (self.test_size, self.pool):
            if size is not None and size < 1:
                raise ValueError(f"test size and pool are at least 1, got {size}")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the parts. The list of slices does not: they are nested."""
        parts = (self.kind, self.test_size, self.pool, sorted(self.holdout))
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Slice:
    """A training slice.

    :ivar name: its target size as a string, or "all".
    :ivar rows: *Shape:* (n_train,), ascending rows of the data; their number is the true size.
    """

    name: str
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Split:
    """One seed's test set and slices, smallest first. Rows are rows of the data that was split.

    :ivar pool: what slices are drawn from.
    """

    seed: int
    test: Rows
    slices: tuple[Slice, ...]
    pool: Rows


def slice_size(name: str) -> float:
    """Target size for sorting; "all" is infinite."""
    return float("inf") if name == ALL else int(name)


def split(
    data: TrainingSet, plan: SplitPlan, seed: int, groups: NDArray[np.int_] | None = None
) -> Split:
    """Part labelled issues into test set and nested slices.

    Issues whose duplicate is in the test set leave the training side. A slice larger than the
    pool is left out; "all" is the pool itself.

    :param groups: `duplicate_groups(data.issues)` where it is at hand (it is the slow part).
    :raises TooFewIssues: no issue is left to test on, or none to learn from where a slice asks.
    """
    groups = duplicate_groups(data.issues) if groups is None else groups
    test = _test_rows(data, plan, seed)
    rest = np.setdiff1d(np.arange(len(data)), test)
    rest = rest[~np.isin(groups[rest], groups[test])]
    pool = _pool_rows(data, plan, rest, seed)
    wants_examples = any(name != "0" for name in plan.slices)
    if not len(test) or (wants_examples and not len(pool)):
        raise TooFewIssues(
            f"{len(data)} labelled issues give {len(test)} to test on and {len(pool)} to learn "
            "from; label more issues, or ask for a smaller test set (--test-size)"
        )
    return Split(seed, test, _nested(data.targets, plan.slices, pool, seed), pool)


def _test_rows(data: TrainingSet, plan: SplitPlan, seed: int) -> Rows:
    numbers = np.array(data.numbers, dtype=int)
    if plan.holdout:
        return np.flatnonzero(np.isin(numbers, sorted(plan.holdout)))
    size = _test_size(len(data), plan)
    if plan.kind == "temporal":
        return np.sort(_by_age(numbers)[len(data) - size :])
    return stratified_sample(data.targets, size, seed)


def _test_size(n_issues: int, plan: SplitPlan) -> int:
    """The size asked for, or what the pool leaves of the issues where that is less."""
    share = max(1, min(MAX_TEST, int(n_issues * TEST_SHARE)))
    size = plan.test_size or share
    if plan.pool is None:
        return min(size, n_issues)
    left = n_issues - plan.pool
    return min(size, left) if left > 0 else min(size, share)


def _pool_rows(data: TrainingSet, plan: SplitPlan, rest: Rows, seed: int) -> Rows:
    """The newest issues before the test set where time counts, else a stratified sample."""
    if plan.pool is None:
        return rest
    if plan.kind == "temporal":
        by_age = rest[_by_age(np.array(data.numbers, dtype=int)[rest])]
        return np.sort(by_age[-plan.pool :])
    return rest[stratified_sample(data.targets[rest], plan.pool, seed + 1)]


def _by_age(numbers: NDArray[np.int_]) -> Rows:
    """Rows from oldest to newest: GitHub numbers issues in the order in which they are filed."""
    return np.argsort(numbers, kind="stable")


def _nested(
    targets: NDArray[np.bool_], names: tuple[str, ...], pool: Rows, seed: int
) -> tuple[Slice, ...]:
    order = _ladder(targets, pool, seed)
    sizes = {
        name: len(pool) if name == ALL else int(name) for name in sorted(names, key=slice_size)
    }
    return tuple(
        Slice(name, np.sort(order[:size])) for name, size in sizes.items() if size <= len(pool)
    )


def _ladder(targets: NDArray[np.bool_], pool: Rows, seed: int) -> Rows:
    """Order the pool so that its first 1, 2, 4, 8 … rows are each stratified within the next rung.

    A slice is a beginning of this order, hence nested, whichever slices were asked for.
    """
    rng = np.random.default_rng(seed)
    rows, tail = pool, []
    for rung in reversed([1 << power for power in range(len(pool).bit_length())]):
        inner = rows[stratified_sample(targets[rows], rung, seed)]
        tail.append(rng.permutation(np.setdiff1d(rows, inner)))
        rows = inner
    return np.concatenate([rows, *reversed(tail)])
