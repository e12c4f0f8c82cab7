"""Whether an evaluation is worse than the last one on the issues that both tested."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bot.evaluating.evaluation_alarm import worse_than_last
from store.records import EvaluationCell
from tagger.domain.issue import IssueText, Label, TrainingSet
from tagger.evaluation.cells import CellKey, CellResult
from tagger.evaluation.runner import Evaluation
from tagger.evaluation.slices import SplitPlan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("bug", "docs")
N = 120
TRUTH = np.arange(2 * N).reshape(N, 2) % 3 == 0
DATA = TrainingSet(
    tuple(map(Label, NAMES)),
    tuple(range(1, N + 1)),
    tuple(IssueText.of(f"issue {number}", "") for number in range(N)),
    TRUTH,
)


def cell(
    decided, slice_: str = "all", strategy: str = "chain", fingerprint: str = "new"
) -> CellResult:
    key = CellKey(fingerprint, strategy, slice_, 0)
    scores = decided.astype(np.float32)
    return CellResult(key, 50, DATA.numbers, scores, decided, None, 1.0, 1.0, 1.0)


def evaluation(*cells: CellResult) -> Evaluation:
    return Evaluation(DATA, SplitPlan(), "new", (), ("chain",), cells)


@pytest.fixture
def last(store):
    """The last run, which was right about every issue."""
    with store.begin() as work:
        repository = work.repositories.get_or_create("acme/rocket", now=NOW)
        run = work.evaluations.start(repository.id, "evaluate", "old", {}, NOW)
        for slice_ in ("64", "all"):
            was = cell(TRUTH, slice_, fingerprint="old")
            kept = EvaluationCell(was.key.text, was.to_json(), b"")
            work.evaluations.put_cell(run.id, kept, NOW)
        work.evaluations.finish(run.id, {"labels": list(NAMES)}, NOW)
        return work.evaluations.get(run.id)


def test_one_that_was_better_last_time_is_told(store, last) -> None:
    (alarm,) = worse_than_last(store, evaluation(cell(~TRUTH)), last)
    assert alarm.startswith("chain on slice all is ")
    assert "active release" not in alarm
    assert "held-out" not in alarm


def test_one_that_is_as_good_is_not_told(store, last) -> None:
    assert worse_than_last(store, evaluation(cell(TRUTH)), last) == ()


def test_only_the_largest_slice_counts(store, last) -> None:
    assert worse_than_last(store, evaluation(cell(~TRUTH, "64"), cell(TRUTH)), last) == ()


def test_what_has_nothing_to_be_compared_with_is_not_told(store, last) -> None:
    worse = cell(~TRUTH)
    assert worse_than_last(store, evaluation(worse), None) == ()
    assert worse_than_last(store, evaluation(worse), replace(last, report=None)) == ()
    assert worse_than_last(store, evaluation(), last) == ()
    other = replace(worse, key=replace(worse.key, slice="32"))
    assert worse_than_last(store, evaluation(other), last) == ()
