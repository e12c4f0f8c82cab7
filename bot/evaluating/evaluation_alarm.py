"""Whether an evaluation came out worse than the last one on the issues that both tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.cells import CellResult
from tagger.evaluation.slices import slice_size
from tagger.monitoring.alarm import Decided, compare_with_last

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.database import Store
    from store.records import EvaluationRun
    from tagger.evaluation.runner import Evaluation


def worse_than_last(
    store: Store, evaluation: Evaluation, previous: EvaluationRun | None
) -> tuple[str, ...]:
    """A sentence for each strategy that lost beyond noise on its largest slice (paired bootstrap).

    Other labelled issues, models or code may be the reason; the present labels count for both.
    """
    if previous is None or not previous.report:
        return ()
    names = tuple(previous.report["labels"])
    alarms = []
    for strategy in evaluation.strategies:
        cells = [cell for cell in evaluation.cells if cell.key.strategy == strategy]
        if not cells:
            continue
        last = max((cell.key.slice for cell in cells), key=slice_size)
        cells = [cell for cell in cells if cell.key.slice == last]
        before = _cells(store, previous.id, {_ending(cell) for cell in cells})
        if not before:
            continue
        now = _pooled(cells, evaluation.data.names)
        compared = compare_with_last(now, _pooled(before, names), _truth(evaluation, now))
        if compared is not None and not compared.promote:
            reason = compared.reason.replace("the active release", "at the last evaluation")
            alarms.append(f"{strategy} on slice {last} is {reason.replace('held-out', 'test')}")
    return tuple(alarms)


def _cells(store: Store, run_id: int, endings: set[str]) -> list[CellResult]:
    with store.read() as work:
        keys = [key for key in work.evaluations.cell_keys(run_id) if _after(key) in endings]
        cells = [work.evaluations.cell(run_id, key) for key in sorted(keys)]
    return [CellResult.of_json(dict(cell.result)) for cell in cells if cell is not None]


def _ending(cell: CellResult) -> str:
    return _after(cell.key.text)


def _after(key: str) -> str:
    """Strategy, slice and seed, without the fingerprint, which every change of data changes."""
    return key.partition("/")[2]


def _pooled(cells: Sequence[CellResult], names: tuple[str, ...]) -> Decided:
    """Each issue once, as the first seed that tested it decided: seeds share issues."""
    numbers = np.concatenate([cell.numbers for cell in cells])
    decided = np.concatenate([cell.decided for cell in cells])
    distinct, rows = np.unique(numbers, return_index=True)
    return Decided(tuple(map(int, distinct)), names, decided[rows])


def _truth(evaluation: Evaluation, now: Decided) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    place = {number: row for row, number in enumerate(evaluation.data.numbers)}
    return np.asarray(evaluation.data.targets[[place[number] for number in now.numbers]])
