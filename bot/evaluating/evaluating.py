"""Evaluate: score strategies on a repository's own issues, cell by cell, and write the report."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.evaluating.evaluation_alarm import worse_than_last
from bot.evaluating.evaluation_extras import extras
from bot.evaluating.evaluation_notes import left_out, not_held_out, strategies_to_score
from bot.evaluating.evaluation_request import EvaluationRequest
from bot.evaluating.evaluation_run import StoredCells, StoredWorkBoard
from bot.evaluating.foreign_issues import foreign_issues
from bot.evaluating.helper_processes import Helpers, helping_command
from bot.learning.training_data import encode_all, training_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.evaluating.evaluation_workspace import EvaluationWorkspace
    from store.records import EvaluationRun
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.evaluation.report.extras import Extras
    from tagger.evaluation.runner import Evaluation
    from tagger.evaluation.shared_work import WorkBoard
    from tagger.evaluation.slices import SplitPlan

log = logging.getLogger(__name__)

KIND = "evaluate"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation found: its report as files, and the content of `report.json`."""

    files: tuple[Path, ...]
    report: dict[str, Any]
    notes: tuple[str, ...]


def evaluate(
    workspace: EvaluationWorkspace,
    request: EvaluationRequest,
    *,
    out: Path,
    resume: bool = False,
    processes: int | None = None,
    issue_url: str = "",
) -> Evaluated:
    """Score every strategy on every slice with every seed, and write the report into `out`.

    :param resume: take finished cells of earlier runs on the same data, models and code.
    :param processes: of this machine that share the work; None: as many as it has room for.
    :raises TooFewIssues: the issues cannot be parted as planned.
    :raises UnknownStrategy: with the names there are.
    :raises NotStored: the foreign repository was never imported or synced.
    """
    from tagger.strategies import check_known

    names, notes = strategies_to_score(request.strategies, workspace.resources)
    check_known(names)
    request = replace(request, strategies=names, as_of=request.as_of or workspace.clock())
    data = _data(workspace, request)
    _check_parts(workspace, data, request)
    with workspace.store.read() as work:
        repository_id = work.repositories.get(workspace.repository).id
        previous = work.evaluations.latest(repository_id, kind_of(request))
    with _begun(workspace, request, data) as run:
        if resume:
            _take_over(workspace, run)
        encode_all(data, workspace.resources)
        evaluation = _score_together(workspace, run, data, request, processes)
        notes += left_out(evaluation)
        if not evaluation.cells:
            raise CommandRefused(f"there is nothing to report: {'; '.join(notes)}")
        notes += not_held_out(data, request.plan) + _alarms(workspace, evaluation, previous)
        about = extras(workspace, evaluation, previous, issue_url, notes)
        files, report = _reported(evaluation, about, out)
        with workspace.store.begin() as work:
            work.evaluations.finish(run.id, report, workspace.clock())
    return Evaluated(files, report, notes)


def _alarms(
    workspace: EvaluationWorkspace, evaluation: Evaluation, previous: EvaluationRun | None
) -> tuple[str, ...]:
    """Where it is worse than the last one, as notes for the report; the log has them too."""
    alarms = worse_than_last(workspace.store, evaluation, previous)
    for alarm in alarms:
        log.warning("alarm", extra={"repository": workspace.repository, "reason": alarm})
    return tuple(f"Alarm: {alarm}" for alarm in alarms)


def _score_together(
    workspace: EvaluationWorkspace,
    run: EvaluationRun,
    data: TrainingSet,
    request: EvaluationRequest,
    processes: int | None,
) -> Evaluation:
    spare = _spare(processes, workspace.resources)
    with Helpers(helping_command(workspace.repository, run.id), spare) as helpers:
        helpers.start()
        board = StoredWorkBoard(workspace.store, run.id, workspace.clock, helpers=helpers)
        return _score(workspace, run, data, request, board)


def _reported(
    evaluation: Evaluation, about: Extras, out: Path
) -> tuple[tuple[Path, ...], dict[str, Any]]:
    from tagger.evaluation.report.writing import write_report

    files = write_report(evaluation, about, out)
    return files, json.loads(files[0].read_text(encoding="utf-8"))


def join(
    workspace: EvaluationWorkspace,
    *,
    run_id: int | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> int:
    """Help with a run that another process began, until nothing of it is free any more.

    :param run_id: None: the repository's newest run that has not ended.
    :param alive: asked after each cell; False ends the help.
    :returns: the run's id.
    :raises CommandRefused: there is none, or it was begun with other issues, models or code.
    """
    run = _running(workspace, run_id)
    request = EvaluationRequest.of_json(run.settings["request"])
    data = _data(workspace, request)
    method = _method(workspace.resources)
    if (method, _fingerprint(data, request)) != (run.settings["method"], run.fingerprint):
        raise CommandRefused(
            f"run {run.id} of {workspace.repository} was begun with other issues, models or "
            "another version of issue-tagger; its cells cannot be shared"
        )
    board = StoredWorkBoard(workspace.store, run.id, workspace.clock, alive=alive)
    _score(workspace, run, data, request, board)
    return run.id


def kind_of(request: EvaluationRequest) -> str:
    """By what an evaluation is kept, and compared with the last one: each kind by itself."""
    return KIND if request.target == "issues" else f"{KIND} {request.target}"


def _data(workspace: EvaluationWorkspace, request: EvaluationRequest) -> TrainingSet:
    return training_data(
        workspace.store,
        workspace.repository,
        request.labels,
        workspace.resources.progress,
        confirm_after=request.confirm_after,
        now=request.as_of,
        target=request.target,
    )


def is_alive(process: int) -> Callable[[], bool]:
    """Whether this process is still our parent: a helper must not outlive who it helps."""
    return lambda: os.getppid() == process


@contextmanager
def _begun(
    workspace: EvaluationWorkspace, request: EvaluationRequest, data: TrainingSet
) -> Iterator[EvaluationRun]:
    """A run that is put down as failed where the block fails; what is killed stays `running`."""
    settings = {"method": _method(workspace.resources), "request": request.to_json()}
    fingerprint, store, clock = _fingerprint(data, request), workspace.store, workspace.clock
    with store.begin() as work:
        repository_id = work.repositories.get(workspace.repository).id
        run = work.evaluations.start(
            repository_id, kind_of(request), fingerprint, settings, clock()
        )
    try:
        yield run
    except BaseException as error:
        with store.begin() as work:
            work.evaluations.fail(run.id, f"{type(error).__name__}: {error}", clock())
        raise


def _fingerprint(data: TrainingSet, request: EvaluationRequest) -> str:
    from tagger.evaluation.runner import run_fingerprint

    return run_fingerprint(data, request.plan)


def _method(resources: Resources) -> str:
    """What decides a cell beside data and split: the code, and which models score."""
    from tagger.encoders.model_sources import weights_digest
    from tagger.evaluation.method_digest import method_fingerprint

    def digest(folder: Path | None) -> str | None:
        return weights_digest(folder) if folder else None

    models = {
        "encoder": resources.encoder().identity,
        "encoder to tune": digest(resources.encoder_model),
        "bert": digest(resources.bert_model),
        "zero_shot": digest(resources.zero_shot_model),
    }
    if resources.language_model is not None:
        models["language"] = resources.language_model().identity
    return json.dumps({"code": method_fingerprint(), **models}, sort_keys=True)


def _take_over(workspace: EvaluationWorkspace, run: EvaluationRun) -> None:
    """Let cells of earlier runs on the same data with the same method stand in this one."""
    with workspace.store.begin() as work:
        for evaluation in work.evaluations.list(run.repository_id):
            same = evaluation.settings.get("method") == run.settings["method"]
            if evaluation.id != run.id and evaluation.fingerprint == run.fingerprint and same:
                work.evaluations.copy_cells(run.id, evaluation.id, workspace.clock())


def _score(
    workspace: EvaluationWorkspace,
    run: EvaluationRun,
    data: TrainingSet,
    request: EvaluationRequest,
    board: WorkBoard,
) -> Evaluation:
    from tagger.evaluation.runner import Execution
    from tagger.evaluation.runner import evaluate as score
    from tagger.strategies.candidates import candidates

    return score(
        data,
        candidates(request.strategies or (), workspace.resources),
        request.plan,
        range(request.seeds),
        StoredCells(workspace.store, run.id, workspace.clock),
        Execution(
            resume=True,  # the cells are this run's own, whoever finished them
            method=run.settings["method"],
            board=board,
            foreign=foreign_issues(workspace.store, request.foreign),
            progress=workspace.resources.progress,
        ),
    )


def _running(workspace: EvaluationWorkspace, run_id: int | None) -> EvaluationRun:
    repository = workspace.repository
    with workspace.store.read() as work:
        runs = work.evaluations.list(work.repositories.get(repository).id)
    for run in runs:
        if run.state == "running" and "request" in run.settings and run_id in {None, run.id}:
            return run
    raise CommandRefused(
        f"no evaluation of {repository} is going on; issue-tagger evaluate {repository} begins one"
    )


def _spare(processes: int | None, resources: Resources) -> int | None:
    """Helpers to start; None leaves it to the machine. One process fills a GPU."""
    if processes is not None:
        return processes - 1
    from tagger.runtimes.devices import choose_device

    return 0 if choose_device(resources.device).type == "cuda" else None


def _check_parts(
    workspace: EvaluationWorkspace, data: TrainingSet, request: EvaluationRequest
) -> None:
    """Refuse what cannot be tested on before anything is computed."""
    _check_holdout(data, request.plan)
    foreign_issues(workspace.store, request.foreign)


def _check_holdout(data: TrainingSet, plan: SplitPlan) -> None:
    if plan.holdout and not plan.holdout & set(data.numbers):
        raise CommandRefused(
            f"none of the {len(plan.holdout)} issues to hold out carries a label of the set; "
            "check the numbers, and the labels"
        )
