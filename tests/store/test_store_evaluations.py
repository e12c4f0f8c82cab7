"""Evaluation runs: a finished cell stays finished."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from store.errors import NotStored
from store.records import EvaluationCell

if TYPE_CHECKING:
    from datetime import datetime

    from store.database import Store
    from store.records import EvaluationRun, Repository

SETTINGS = {"slices": ["8", "all"], "seeds": 2}


@pytest.fixture
def run(any_store: Store, repository: Repository, now: datetime) -> EvaluationRun:
    with any_store.begin() as work:
        return work.evaluations.start(repository.id, "evaluate", "f1", SETTINGS, now)


def test_cells_survive_a_block_that_fails(any_store: Store, run: EvaluationRun, now: datetime):
    first = EvaluationCell("knn/8/0", {"micro_f1": 0.5}, b"\x00\xff")
    with any_store.begin() as work:
        assert work.evaluations.put_cell(run.id, first, now)
    with pytest.raises(NotStored), any_store.begin() as work:
        put_and_fail(work, run.id, now)
    with any_store.read() as work:
        assert work.evaluations.cells(run.id) == (first,)
        assert work.evaluations.cell_keys(run.id) == {"knn/8/0"}


def put_and_fail(work: object, run_id: int, now: datetime) -> None:
    work.evaluations.put_cell(run_id, EvaluationCell("knn/8/1", {}), now)  # type: ignore[attr-defined]
    work.evaluations.get(999)  # type: ignore[attr-defined]


def test_a_cell_that_is_there_stays_as_it_was(any_store: Store, run: EvaluationRun, now: datetime):
    with any_store.begin() as work:
        assert work.evaluations.put_cell(run.id, EvaluationCell("a", {"x": 1}), now)
        assert not work.evaluations.put_cell(run.id, EvaluationCell("a", {"x": 2}), now)
        assert work.evaluations.cells(run.id) == (EvaluationCell("a", {"x": 1}),)


def test_cells_of_an_earlier_run_are_copied_and_those_that_are_there_stay(
    any_store: Store, repository: Repository, run: EvaluationRun, now: datetime
):
    with any_store.begin() as work:
        runs = work.evaluations
        for key in ("knn/8", "knn/16"):
            runs.put_cell(run.id, EvaluationCell(key, {"of": "the earlier"}, b"\x01"), now)
        later = runs.start(repository.id, "evaluate", "f1", SETTINGS, now)
        own = EvaluationCell("knn/8", {"of": "this"})
        runs.put_cell(later.id, own, now)
        assert runs.copy_cells(later.id, run.id, now) == 1
        assert runs.copy_cells(later.id, run.id, now) == 0
        copied = EvaluationCell("knn/16", {"of": "the earlier"}, b"\x01")
        assert runs.cells(later.id) == (copied, own)
        assert runs.cell(later.id, "knn/8") == own
        assert runs.cell(later.id, "knn/32") is None


def test_the_latest_finished_report_is_found(
    any_store: Store, repository: Repository, run: EvaluationRun, now: datetime
):
    with any_store.begin() as work:
        runs = work.evaluations
        assert runs.latest(repository.id, "evaluate") is None
        runs.finish(run.id, {"rows": [1]}, now)
        later = now + timedelta(hours=1)
        newer = runs.start(repository.id, "evaluate", "f1", SETTINGS, later)
        audit = runs.start(repository.id, "audit", "f1", SETTINGS, later)
        latest = runs.latest(repository.id, "evaluate")
        assert latest is not None
        assert (latest.id, latest.state, latest.report) == (run.id, "done", {"rows": [1]})
        assert [one.id for one in runs.list(repository.id)] == [audit.id, newer.id, run.id]
        assert [one.id for one in runs.list(repository.id, kind="audit")] == [audit.id]
        assert [one.id for one in runs.list(repository.id, limit=1)] == [audit.id]


def test_an_unknown_run_is_named(any_store: Store, now: datetime):
    with any_store.begin() as work:
        with pytest.raises(NotStored, match="999"):
            work.evaluations.finish(999, {}, now)
        with pytest.raises(NotStored, match="999"):
            work.evaluations.fail(999, "why", now)


def test_a_report_with_nan_is_refused(any_store: Store, run: EvaluationRun, now: datetime):
    report = {"micro_f1": float("nan"), "title": "private words"}
    with pytest.raises(Exception, match="not JSON compliant") as caught, any_store.begin() as work:
        work.evaluations.finish(run.id, report, now)
    assert "private words" not in str(caught.value)  # it may end up in a log
