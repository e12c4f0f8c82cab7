"""Several processes share one evaluation through the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fakes_cli import REPO, issue_file, sixty

from bot.evaluating.evaluation_request import EvaluationRequest
from bot.evaluating.evaluation_run import LEASE, StoredCells, StoredWorkBoard
from bot.evaluating.helper_processes import Helpers
from bot.repositories.importing import ImportRequest, import_files
from store.database import Store
from tagger.evaluation.slices import SplitPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes_cli import Terminal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = {"fit_seconds", "predict_ms_per_issue", "peak_memory_mb"}
OPTIONS = ("--strategies", "naive-bayes,knn", "--slices", "8,32,500,all", "--seeds", 2)


def figures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows without what the clock said."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in report["rows"]]


@pytest.fixture
def database(trained: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{trained}/issue-tagger.sqlite3") as opened:
        yield opened


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(
    terminal: Terminal, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a helper finds the same models: none from a hub that this machine may reach or not
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    alone = terminal("evaluate", REPO, *OPTIONS, "--processes", 1, "--json", "--out", tmp_path)
    shared = terminal("evaluate", REPO, *OPTIONS, "--processes", 2, "--json", "--out", tmp_path)
    assert (alone.status, shared.status) == (0, 0)
    assert figures(shared.document) == figures(alone.document)
    assert "a helper ended early" not in shared.err


@pytest.mark.slow
@pytest.mark.postgres
def test_processes_on_postgresql_give_the_numbers_of_one_on_sqlite(
    terminal: Terminal,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_store: Store,
    postgres_url: str,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    alone = terminal("evaluate", REPO, *OPTIONS, "--processes", 1, "--json", "--out", tmp_path)
    monkeypatch.setenv("ISSUE_TAGGER_DATABASE_URL", postgres_url)
    import_files(postgres_store, REPO, ImportRequest([issue_file(tmp_path, *sixty())]), now=NOW)
    shared = terminal("evaluate", REPO, *OPTIONS, "--processes", 3, "--json", "--out", tmp_path)
    assert (alone.status, shared.status) == (0, 0)
    assert figures(shared.document) == figures(alone.document)
    assert "a helper ended early" not in shared.err


def test_a_slice_that_is_left_out_is_told_everywhere(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    options = ("--strategies", "naive-bayes", "--slices", "0,8,500", "--seeds", 1)
    done = terminal("evaluate", REPO, *options, "--out", tmp_path)
    assert "note: slice 500 left out: beside the test set there are 17 labelled issues" in done.err
    assert "note: slice 0 left out: none of these strategies works with so little" in done.err
    assert "slice 500 left out" in (tmp_path / "report.html").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["notes"]


def test_issues_of_another_repository_are_mixed_in(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    options = ("--strategies", "naive-bayes", "--slices", "8", "--seeds", 1, "--out", tmp_path)
    refused = terminal("evaluate", REPO, *options, "--foreign", "nobody/nothing")
    assert refused.status == 1
    assert "nobody/nothing" in refused.err
    done = terminal("evaluate", REPO, *options, "--foreign", REPO, "--json")
    assert done.status == 0
    [row] = done.document["rows"]
    assert row["out_of_scope"]["issues"] > 0
    assert row["out_of_scope"]["applied"] is None


def test_nobody_can_join_what_is_not_going_on(terminal: Terminal, trained: Path) -> None:
    done = terminal("evaluate", REPO, "--join", 0)
    assert (done.status, done.out) == (1, "")
    assert f"no evaluation of {REPO} is going on" in done.err


def test_a_run_of_other_issues_or_code_is_not_joined(
    terminal: Terminal, trained: Path, database: Store
) -> None:
    request = EvaluationRequest(SplitPlan(slices=("8",)), ("naive-bayes",), None, 1)
    with database.begin() as work:
        repository = work.repositories.get(REPO).id
        settings = {"method": "older", "request": request.to_json()}
        run = work.evaluations.start(repository, "evaluate", "f", settings, NOW)
    done = terminal("evaluate", REPO, "--join", run.id)
    assert done.status == 1
    assert f"run {run.id} of {REPO} was begun with other issues, models" in done.err


def test_a_failed_evaluation_is_put_down_as_failed(
    terminal: Terminal, trained: Path, database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.evaluating.evaluating._score", _broken)
    assert terminal("evaluate", REPO, "--strategies", "naive-bayes").status == 1
    with database.read() as work:
        run = work.evaluations.list(work.repositories.get(REPO).id)[0]
    assert (run.state, run.error) == ("failed", "RuntimeError: out of memory")


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("out of memory")


def test_a_request_reads_back_as_it_was_written() -> None:
    plan = SplitPlan("temporal", ("8", "all"), 30, None, frozenset({3, 1}))
    for labels in (None, ("a,b", "c")):
        request = EvaluationRequest(plan, ("chain",), labels, 3)
        assert EvaluationRequest.of_json(json.loads(json.dumps(request.to_json()))) == request


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_task_is_held_by_one_and_falls_to_another_when_its_holder_is_gone(store: Store) -> None:
    clock = Time()
    first = StoredWorkBoard(store, 1, clock, helpers=Helpers([], 0), pause=lambda _: None)
    second = StoredWorkBoard(store, 1, clock)
    held = first.take("all/0")
    assert held is not None
    with held:
        assert second.take("all/0") is None
        assert not second.wait()
        assert first.wait()
    back = second.take("all/0")  # given back when the block ended
    assert back is not None  # taken, and never begun: as if it had been killed
    assert first.take("all/0") is None
    clock.now += LEASE + timedelta(seconds=1)
    assert first.take("all/0") is not None


def test_a_helper_whose_parent_is_gone_takes_nothing(store: Store) -> None:
    assert StoredWorkBoard(store, 1, Time(), alive=lambda: False).take("all/0") is None


def test_cells_of_other_runs_are_not_seen(store: Store) -> None:
    from tagger.evaluation.cells import CellKey

    assert StoredCells(store, 1, Time()).get(CellKey("f", "knn", "8", 0)) is None


def test_helpers_end_with_their_parent_and_say_why_they_ended_early(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Helpers(["sh", "-c", "sleep 60"], 2) as helpers:
        helpers.start()
        assert helpers.workers == 3
        running = [process for process, _ in helpers._running]
    assert all(process.poll() is not None for process in running)
    with Helpers(["sh", "-c", "echo no memory >&2; exit 3"], 1) as helpers:
        helpers.start()
        helpers._running[0][0].wait()
    assert [record.reason for record in caplog.records] == ["no memory"]
    with Helpers(["sleep", "60"], 0) as helpers:
        helpers.expect(10_000)
        assert helpers.workers == 1
