"""The runner: strategies x slices x seeds, cell by cell, resumable."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from tagger.domain.issue import corpus_fingerprint
from tagger.domain.strategy import silent
from tagger.evaluation.cell_run import evaluate_cell
from tagger.evaluation.cells import CellKey, CellResult
from tagger.evaluation.shared_work import UnsharedWork
from tagger.evaluation.slices import Slice, slice_size, split
from tagger.evaluation.time_left import TimeLeft, in_words
from tagger.text.duplicates import duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Progress
    from tagger.evaluation.cells import CellStore
    from tagger.evaluation.shared_work import WorkBoard
    from tagger.evaluation.slices import Split, SplitPlan
    from tagger.statistics.metrics import Truth
    from tagger.strategies.candidates import Candidate

RECENT = 1000
"""Texts of the pool that stand for the issues to come."""

NOTHING = "0"
"""The slice without a single labelled issue."""


@dataclass(frozen=True)
class Task:
    """Work that shares its fits: some strategies on one slice with one seed."""

    split: Split
    slice: Slice
    candidates: tuple[Candidate, ...]

    @property
    def key(self) -> str:
        """Names the task among those of its run."""
        kind = "flat" if all(candidate.flat for candidate in self.candidates) else self.slice.name
        return f"{kind}/{self.split.seed}"


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured; figures follow from it (`figures.py`).

    :ivar data: what was parted into test sets and slices.
    :ivar splits: one for each seed.
    :ivar cells: all cells, flat ones repeated under each slice, in the candidates' order.
    """

    data: TrainingSet
    plan: SplitPlan
    fingerprint: str
    splits: tuple[Split, ...]
    strategies: tuple[str, ...]
    cells: tuple[CellResult, ...]

    def truth(self, seed: int) -> Truth:
        """The test set's labels. *Shape:* (n_test, n_labels)"""
        return self.data.targets[self.of_seed(seed).test]

    def of_seed(self, seed: int) -> Split:
        return next(split for split in self.splits if split.seed == seed)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Slices that were asked for and have no cell: too few issues, or nothing works there."""
        scored = {cell.key.slice for cell in self.cells}
        names = sorted(set(self.plan.slices), key=slice_size)
        return tuple(name for name in names if name not in scored)

    @property
    def smallest_pool(self) -> int:
        """Labelled issues that every seed has to draw slices from."""
        return min(len(part.pool) for part in self.splits)


def run_fingerprint(data: TrainingSet, plan: SplitPlan, method: str = "") -> str:
    """SHA-256 over the data, how it is parted, and what scores it: cells of one may be compared.

    :param method: whatever else a cell depends on, such as code and models; empty: nothing else.
    """
    return hashlib.sha256(f"{data.fingerprint}{plan.fingerprint}{method}".encode()).hexdigest()


@dataclass(frozen=True)
class Execution:
    """How an evaluation is carried out; none of it changes a figure.

    :ivar resume: take cells that are there already instead of computing them again.
    :ivar method: see `run_fingerprint`; cells of another are never taken.
    :ivar foreign: issues of another repository, which should get no label; what is said of them is
        kept beside a cell's figures.
    :ivar board: where several processes on one `CellStore` take their tasks from; they need
        `resume`. None: this process does everything.
    """

    resume: bool = False
    method: str = ""
    foreign: tuple[IssueText, ...] = ()
    board: WorkBoard | None = None
    progress: Progress = silent
    clock: Callable[[], float] = time.monotonic


def evaluate(
    data: TrainingSet,
    candidates: Sequence[Candidate],
    plan: SplitPlan,
    seeds: Sequence[int],
    cells: CellStore,
    execution: Execution | None = None,
) -> Evaluation:
    """Score every candidate on every slice with every seed.

    :param cells: each finished cell goes there at once.
    :raises TooFewIssues: the data cannot be parted as planned.
    """
    groups = duplicate_groups(data.issues)
    splits = tuple(split(data, plan, seed, groups) for seed in seeds)
    execution = execution or Execution()
    scope = corpus_fingerprint(execution.foreign) if execution.foreign else ""
    identity = run_fingerprint(data, plan, execution.method + scope)
    work = _Work(data, identity, cells, execution)
    tasks = [task for part in splits for task in _tasks(part, candidates, splits)]
    if execution.board is not None:  # the longest first, or at the end all wait for one
        tasks.sort(key=lambda task: -len(task.slice))
    known_cells = work.known(tasks) if execution.resume else {}
    work.run(tasks, known_cells)
    gathered = tuple(_gather(splits, candidates, identity, known_cells))
    names = tuple(candidate.name for candidate in candidates)
    return Evaluation(data, plan, run_fingerprint(data, plan), splits, names, gathered)


def _tasks(part: Split, candidates: Sequence[Candidate], splits: Sequence[Split]) -> list[Task]:
    """Tasks of one seed, small slices first. A flat strategy runs once for each test set."""
    tasks = []
    flat = tuple(candidate for candidate in candidates if candidate.flat)
    if flat and _flat_seed(part, splits) == part.seed:
        tasks.append(Task(part, Slice(NOTHING, np.arange(0)), flat))
    for piece in part.slices:
        able = tuple(
            candidate for candidate in candidates if not candidate.flat and _able(candidate, piece)
        )
        if able:
            tasks.append(Task(part, piece, able))
    return tasks


def _able(candidate: Candidate, piece: Slice) -> bool:
    return len(piece) > 0 or not candidate.make(0).needs_examples


def _flat_seed(part: Split, splits: Sequence[Split]) -> int:
    """The first seed with the same test set: temporal splits and hold-outs have only one."""
    return next(split.seed for split in splits if np.array_equal(split.test, part.test))


def _recent(data: TrainingSet, part: Split) -> tuple[IssueText, ...]:
    """The pool's texts, for each slice the same: as if most of the pool had not been labelled."""
    rows = np.random.default_rng(part.seed).permutation(part.pool)[:RECENT]
    return tuple(data.issues[row] for row in rows)


def _keys(task: Task, fingerprint: str) -> dict[str, CellKey]:
    return {
        candidate.name: CellKey(fingerprint, candidate.name, task.slice.name, task.split.seed)
        for candidate in task.candidates
    }


class _Work:
    """Runs tasks, keeps each cell at once and says how long the rest will take."""

    def __init__(
        self,
        data: TrainingSet,
        fingerprint: str,
        cells: CellStore,
        execution: Execution,
    ) -> None:
        self._data = data
        self._fingerprint = fingerprint
        self._cells = cells
        self._foreign = execution.foreign
        self._shared = execution.board is not None
        self._board = execution.board or UnsharedWork()
        self._progress = execution.progress
        self._pace = TimeLeft(execution.clock)

    def known(self, tasks: Sequence[Task]) -> dict[CellKey, CellResult]:
        """Cells of these tasks that are there already."""
        return self._found(self._missing(tasks, {}))

    def run(self, tasks: Sequence[Task], known_cells: dict[CellKey, CellResult]) -> None:
        """Compute what is missing; `known` gains each cell, also those that others compute."""
        waiting = self._missing(tasks, known_cells)
        total = len(waiting)
        while waiting:
            held = self._take(tasks, waiting)
            if held is None:
                if not self._board.wait():
                    return
                known_cells |= self._found(waiting)
            else:
                with held[1]:
                    self._work_off(held[0], tasks, known_cells, total)
            waiting = self._missing(tasks, known_cells)

    def _take(
        self, tasks: Sequence[Task], waiting: Sequence[CellKey]
    ) -> tuple[Task, AbstractContextManager[None]] | None:
        """The first open task that nobody else holds."""
        open_keys = set(waiting)
        for task in tasks:
            if open_keys & set(_keys(task, self._fingerprint).values()):
                hold = self._board.take(task.key)
                if hold is not None:
                    return task, hold
        return None

    def _work_off(
        self, task: Task, tasks: Sequence[Task], known_cells: dict[CellKey, CellResult], total: int
    ) -> None:
        if self._shared:  # it may have been done since we last looked
            known_cells |= self._found(self._missing([task], known_cells))
        self._pace.begin()
        for cell in self._cells_of(task, known_cells):
            self._cells.put(cell.key, cell)
            known_cells[cell.key] = cell
            self._pace.done(cell.key)
            waiting = self._missing(tasks, known_cells)
            left = self._pace.left(waiting) / self._board.workers
            self._progress(_step(cell.key, left), total - len(waiting), total)
            self._board.expect(left)

    def _found(self, keys: Sequence[CellKey]) -> dict[CellKey, CellResult]:
        generator = ((key, self._cells.get(key)) for key in keys)
        return {key: cell for key, cell in generator if cell is not None}

    def _missing(
        self, tasks: Sequence[Task], known_cells: dict[CellKey, CellResult]
    ) -> list[CellKey]:
        keys = (key for task in tasks for key in _keys(task, self._fingerprint).values())
        return [key for key in keys if key not in known_cells]

    def _cells_of(self, task: Task, known_cells: dict[CellKey, CellResult]) -> Iterator[CellResult]:
        keys = _keys(task, self._fingerprint)
        missing = [
            candidate for candidate in task.candidates if keys[candidate.name] not in known_cells
        ]
        train = replace(self._data.subset(task.slice.rows), recent=_recent(self._data, task.split))
        test = self._data.subset(task.split.test)
        for outcome in evaluate_cell(missing, train, test, task.split.seed, self._foreign):
            yield outcome.cell(keys[outcome.strategy], len(train), test.numbers)


def _step(key: CellKey, left: float) -> str:
    return f"{key.strategy} on slice {key.slice}, seed {key.seed} ({in_words(left)} left)"


def _gather(
    splits: Sequence[Split],
    candidates: Sequence[Candidate],
    fingerprint: str,
    known_cells: dict[CellKey, CellResult],
) -> Iterator[CellResult]:
    """Cells under their own slice and seed; a flat strategy's one cell under every slice."""
    for candidate, part in product(candidates, splits):
        for piece in part.slices:
            key = source = CellKey(fingerprint, candidate.name, piece.name, part.seed)
            if candidate.flat:
                source = replace(key, slice=NOTHING, seed=_flat_seed(part, splits))
            if source in known_cells:
                yield replace(known_cells[source], key=key, n_train=len(piece))
