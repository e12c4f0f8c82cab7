"""The runner: strategies x slices x seeds, cell by cell, resumable."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.cell_work import evaluate_cell
from tagger.evaluation.cells import Cell, CellKey
from tagger.evaluation.duplicates import duplicate_groups
from tagger.evaluation.pace import Pace, in_words
from tagger.evaluation.slices import Slice, split
from tagger.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tagger.evaluation.cells import CellStore
    from tagger.evaluation.contest import Contestant
    from tagger.evaluation.metrics import Truth
    from tagger.evaluation.slices import Split, SplitPlan
    from tagger.issue import IssueText, TrainingSet
    from tagger.strategy import Progress

RECENT = 1000
"""Texts of the pool that stand for the issues to come."""

NOTHING = "0"
"""The slice without a single labelled issue."""


@dataclass(frozen=True)
class Task:
    """Work that shares its fits: some strategies on one slice with one seed."""

    split: Split
    slice: Slice
    contestants: tuple[Contestant, ...]


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured; figures follow from it (`figures.py`).

    :ivar data: what was parted into test sets and slices.
    :ivar splits: one for each seed.
    :ivar cells: all cells, flat ones repeated under each slice, in the contestants' order.
    """

    data: TrainingSet
    plan: SplitPlan
    fingerprint: str
    splits: tuple[Split, ...]
    strategies: tuple[str, ...]
    cells: tuple[Cell, ...]

    def truth(self, seed: int) -> Truth:
        """The test set's labels. *Shape:* (n_test, n_labels)"""
        return self.data.targets[self.of_seed(seed).test]

    def of_seed(self, seed: int) -> Split:
        return next(one for one in self.splits if one.seed == seed)


def run_fingerprint(data: TrainingSet, plan: SplitPlan) -> str:
    """SHA-256 over the data and how it is parted: cells of one fingerprint may be compared."""
    return hashlib.sha256(f"{data.fingerprint}{plan.fingerprint}".encode()).hexdigest()


def evaluate(
    data: TrainingSet,
    contestants: Sequence[Contestant],
    plan: SplitPlan,
    seeds: Sequence[int],
    cells: CellStore,
    *,
    resume: bool = False,
    progress: Progress = silent,
    share: tuple[int, int] = (0, 1),
    clock: Callable[[], float] = time.monotonic,
) -> Evaluation:
    """Score every contestant on every slice with every seed.

    :param cells: each finished cell goes there at once.
    :param resume: take cells that are there already instead of computing them again.
    :param share: (which, of how many): several processes on one store each take their share of
        the tasks; the last to finish calls again with `resume` to gather all.
    :raises TooFewIssues: the data cannot be parted as planned.
    """
    fingerprint = run_fingerprint(data, plan)
    groups = duplicate_groups(data.issues)
    splits = tuple(split(data, plan, seed, groups) for seed in seeds)
    work = _Work(data, fingerprint, cells, progress, clock)
    tasks = [task for part in splits for task in _tasks(part, contestants, splits)]
    known = work.known(tasks) if resume else {}
    work.run(tasks[share[0] :: share[1]], known)
    gathered = tuple(_gather(splits, contestants, fingerprint, known))
    names = tuple(contestant.name for contestant in contestants)
    return Evaluation(data, plan, fingerprint, splits, names, gathered)


def _tasks(part: Split, contestants: Sequence[Contestant], splits: Sequence[Split]) -> list[Task]:
    """Tasks of one seed, small slices first. A flat strategy runs once for each test set."""
    tasks = []
    flat = tuple(one for one in contestants if one.flat)
    if flat and _flat_seed(part, splits) == part.seed:
        tasks.append(Task(part, Slice(NOTHING, np.arange(0)), flat))
    for piece in part.slices:
        able = tuple(one for one in contestants if not one.flat and _able(one, piece))
        if able:
            tasks.append(Task(part, piece, able))
    return tasks


def _able(contestant: Contestant, piece: Slice) -> bool:
    return len(piece) > 0 or not contestant.make(0).needs_examples


def _flat_seed(part: Split, splits: Sequence[Split]) -> int:
    """The first seed with the same test set: temporal splits and hold-outs have only one."""
    return next(one.seed for one in splits if np.array_equal(one.test, part.test))


def _recent(data: TrainingSet, part: Split) -> tuple[IssueText, ...]:
    """The pool's texts, for each slice the same: as if most of the pool had not been labelled."""
    rows = np.random.default_rng(part.seed).permutation(part.pool)[:RECENT]
    return tuple(data.issues[row] for row in rows)


def _keys(task: Task, fingerprint: str) -> dict[str, CellKey]:
    return {
        one.name: CellKey(fingerprint, one.name, task.slice.name, task.split.seed)
        for one in task.contestants
    }


class _Work:
    """Runs tasks, keeps each cell at once and says how long the rest will take."""

    def __init__(
        self,
        data: TrainingSet,
        fingerprint: str,
        cells: CellStore,
        progress: Progress,
        clock: Callable[[], float],
    ) -> None:
        self._data = data
        self._fingerprint = fingerprint
        self._cells = cells
        self._progress = progress
        self._pace = Pace(clock)

    def known(self, tasks: Sequence[Task]) -> dict[CellKey, Cell]:
        keys = [key for task in tasks for key in _keys(task, self._fingerprint).values()]
        found = ((key, self._cells.get(key)) for key in keys)
        return {key: cell for key, cell in found if cell is not None}

    def run(self, tasks: Sequence[Task], known: dict[CellKey, Cell]) -> None:
        """Compute what is missing; `known` gains each cell."""
        waiting = [
            key
            for task in tasks
            for key in _keys(task, self._fingerprint).values()
            if key not in known
        ]
        total = len(waiting)
        for task in tasks:
            self._pace.begin()
            for cell in self._cells_of(task, known):
                self._cells.put(cell.key, cell)
                known[cell.key] = cell
                waiting.remove(cell.key)
                self._pace.done(cell.key)
                self._progress(self._step(cell.key, waiting), total - len(waiting), total)

    def _cells_of(self, task: Task, known: dict[CellKey, Cell]) -> Iterator[Cell]:
        keys = _keys(task, self._fingerprint)
        missing = [one for one in task.contestants if keys[one.name] not in known]
        train = replace(self._data.subset(task.slice.rows), recent=_recent(self._data, task.split))
        test = self._data.subset(task.split.test)
        for outcome in evaluate_cell(missing, train, test, task.split.seed):
            yield outcome.cell(keys[outcome.strategy], len(train), test.numbers)

    def _step(self, key: CellKey, waiting: Sequence[CellKey]) -> str:
        left = self._pace.left(waiting)
        return f"{key.strategy} on slice {key.slice}, seed {key.seed} ({in_words(left)} left)"


def _gather(
    splits: Sequence[Split],
    contestants: Sequence[Contestant],
    fingerprint: str,
    known: dict[CellKey, Cell],
) -> Iterator[Cell]:
    """Cells under their own slice and seed; a flat strategy's one cell under every slice."""
    for contestant, part in product(contestants, splits):
        for piece in part.slices:
            key = source = CellKey(fingerprint, contestant.name, piece.name, part.seed)
            if contestant.flat:
                source = replace(key, slice=NOTHING, seed=_flat_seed(part, splits))
            if source in known:
                yield replace(known[source], key=key, n_train=len(piece))
