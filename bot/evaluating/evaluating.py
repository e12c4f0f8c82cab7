"""Evaluate: score strategies on a repository's own issues, cell by cell, and write the report."""

from __future__ import annotations

import json
import logging
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.evaluating.evaluation_alarm import worse_than_last
from bot.evaluating.evaluation_extras import extras
from bot.evaluating.evaluation_request import EvaluationRequest
from bot.evaluating.evaluation_run import StoredCells, StoredWorkBoard
from bot.evaluating.helper_processes import Helpers, helping_command
from bot.learning.training_data import encode_all, training_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from store.database import Store
    from store.records import EvaluationRun
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources
    from tagger.evaluation.runner import Evaluation
    from tagger.evaluation.shared_work import WorkBoard
    from tagger.evaluation.slices import SplitPlan

log = logging.getLogger(__name__)

KIND = "evaluate"
NEEDS_BERT = ("fine-tuned", "adapted")

MAX_DIGITS = 15
"""Of an issue's number; GitHub's have seven at most."""

SHOWN = 10
"""Issues that a note names."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation found: its report as files, and the content of `report.json`."""

    files: tuple[Path, ...]
    report: dict[str, Any]
    notes: tuple[str, ...]


def evaluate(
    store: Store,
    resources: Resources,
    repository: str,
    *,
    plan: SplitPlan,
    out: Path,
    clock: Callable[[], datetime],
    strategies: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    seeds: int = 5,
    confirm_after_days: int | None = None,
    resume: bool = False,
    processes: int | None = None,
    issue_url: str = "",
) -> Evaluated:
    """Score every strategy on every slice with every seed, and write the report into `out`.

    :param strategies: by name; None: all that have their models here.
    :param confirm_after_days: tries the rule of that name in the repository's file; 0: without it.
    :param resume: take finished cells of earlier runs on the same data, models and code.
    :param processes: of this machine that share the work; None: as many as it has room for.
    :raises TooFewIssues: the issues cannot be parted as planned.
    :raises UnknownStrategy: with the names there are.
    """
    from tagger.evaluation.report.writing import write_report
    from tagger.strategies import check_known

    names, notes = _playing(strategies, resources)
    check_known(names)
    chosen = None if labels is None else tuple(labels)
    request = EvaluationRequest(plan, names, chosen, seeds, confirm_after_days, clock())
    data = _data(store, repository, request, resources)
    _check_holdout(data, plan)
    with store.read() as work:
        previous = work.evaluations.latest(work.repositories.get(repository).id, KIND)
    with _begun(store, repository, request, data, resources, clock) as run:
        if resume:
            _take_over(store, run, clock)
        encode_all(data, resources)
        spare = _spare(processes, resources)
        with Helpers(helping_command(repository, run.id), spare) as helpers:
            helpers.start()
            board = StoredWorkBoard(store, run.id, clock, helpers=helpers)
            evaluation = _score(store, run, data, request, board, resources, clock)
        notes += _left_out(evaluation)
        if not evaluation.cells:
            raise CommandRefused(f"there is nothing to report: {'; '.join(notes)}")
        alarms = worse_than_last(store, evaluation, previous)
        notes += _not_held_out(data, plan) + tuple(f"Alarm: {alarm}" for alarm in alarms)
        about = extras(
            store, repository, evaluation, resources, previous, issue_url, notes, clock()
        )
        files = write_report(evaluation, about, out)
        report = json.loads(files[0].read_text(encoding="utf-8"))
        for alarm in alarms:
            log.warning("alarm", extra={"repository": repository, "reason": alarm})
        with store.begin() as work:
            work.evaluations.finish(run.id, report, clock())
    return Evaluated(files, report, notes)


def join(
    store: Store,
    resources: Resources,
    repository: str,
    *,
    clock: Callable[[], datetime],
    run_id: int | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> int:
    """Help with a run that another process began, until nothing of it is free any more.

    :param run_id: None: the repository's newest run that has not ended.
    :param alive: asked after each cell; False ends the help.
    :returns: the run's id.
    :raises CommandRefused: there is none, or it was begun with other issues, models or code.
    """
    run = _running(store, repository, run_id)
    request = EvaluationRequest.of_json(run.settings["request"])
    data = _data(store, repository, request, resources)
    if (_method(resources), _fingerprint(data, request)) != (
        run.settings["method"],
        run.fingerprint,
    ):
        raise CommandRefused(
            f"run {run.id} of {repository} was begun with other issues, models or another version "
            "of issue-tagger; its cells cannot be shared"
        )
    board = StoredWorkBoard(store, run.id, clock, alive=alive)
    _score(store, run, data, request, board, resources, clock)
    return run.id


def _data(
    store: Store, repository: str, request: EvaluationRequest, resources: Resources
) -> TrainingSet:
    return training_data(
        store,
        repository,
        request.labels,
        resources.progress,
        confirm_after=request.confirm_after,
        now=request.as_of,
    )


def is_alive(process: int) -> Callable[[], bool]:
    """Whether this process is still our parent: a helper must not outlive who it helps."""
    return lambda: os.getppid() == process


def read_numbers(path: Path) -> frozenset[int]:
    """Issue numbers from a file: separated by blanks, commas or lines, with or without `#`.

    :raises CommandRefused: something else is in it, or nothing.
    """
    try:
        words = re.split(r"[\s,\[\]]+", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{path} cannot be read: {error}") from None
    words = [word.removeprefix("#") for word in words if word]
    wrong = [word for word in words if not _is_number(word)]
    if wrong or not words:
        got = repr(wrong[0][:40]) if wrong else "nothing"
        raise CommandRefused(f"{path}: got {got}, expected issue numbers, one a line")
    return frozenset(map(int, words))


def _is_number(word: str) -> bool:
    """Whether it is a number that an issue can have, in digits."""
    return word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS


@contextmanager
def _begun(
    store: Store,
    repository: str,
    request: EvaluationRequest,
    data: TrainingSet,
    resources: Resources,
    clock: Callable[[], datetime],
) -> Iterator[EvaluationRun]:
    """A run that is put down as failed where the block fails; what is killed stays `running`."""
    settings = {"method": _method(resources), "request": request.to_json()}
    fingerprint = _fingerprint(data, request)
    with store.begin() as work:
        repository_id = work.repositories.get(repository).id
        run = work.evaluations.start(repository_id, KIND, fingerprint, settings, clock())
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
    return json.dumps({"code": method_fingerprint(), **models}, sort_keys=True)


def _take_over(store: Store, run: EvaluationRun, clock: Callable[[], datetime]) -> None:
    """Let cells of earlier runs on the same data with the same method stand in this one."""
    with store.begin() as work:
        for evaluation in work.evaluations.list(run.repository_id):
            same = evaluation.settings.get("method") == run.settings["method"]
            if evaluation.id != run.id and evaluation.fingerprint == run.fingerprint and same:
                work.evaluations.copy_cells(run.id, evaluation.id, clock())


def _score(
    store: Store,
    run: EvaluationRun,
    data: TrainingSet,
    request: EvaluationRequest,
    board: WorkBoard,
    resources: Resources,
    clock: Callable[[], datetime],
) -> Evaluation:
    from tagger.evaluation.runner import evaluate as score
    from tagger.strategies.candidates import candidates

    return score(
        data,
        candidates(request.strategies, resources),
        request.plan,
        range(request.seeds),
        StoredCells(store, run.id, clock),
        resume=True,  # the cells are this run's own, whoever finished them
        method=run.settings["method"],
        board=board,
        progress=resources.progress,
    )


def _running(store: Store, repository: str, run_id: int | None) -> EvaluationRun:
    with store.read() as work:
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


def _check_holdout(data: TrainingSet, plan: SplitPlan) -> None:
    if plan.holdout and not plan.holdout & set(data.numbers):
        raise CommandRefused(
            f"none of the {len(plan.holdout)} issues to hold out carries a label of the set; "
            "check the numbers, and the labels"
        )


def _not_held_out(data: TrainingSet, plan: SplitPlan) -> tuple[str, ...]:
    """What a reader must know of issues that were to be held out and cannot be judged."""
    missing = sorted(plan.holdout - set(data.numbers))
    if not missing:
        return ()
    named = ", ".join(f"#{number}" for number in missing[:SHOWN])
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return (
        f"{len(missing)} of the {len(plan.holdout)} issues to hold out are not stored or carry no "
        f"label of the set, and are not in the test set: {named}{more}",
    )


def _playing(
    wanted: Sequence[str] | None, resources: Resources
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the strategies, and what a reader must know of those that are left out."""
    from tagger.strategies import REGISTRY

    if wanted is not None:
        return tuple(dict.fromkeys(wanted)), ()
    if resources.bert_model is not None:
        return tuple(REGISTRY), ()
    out = [name for name in NEEDS_BERT if name in REGISTRY]
    note = (
        f"{', '.join(out)} left out: there is no transformer to fine-tune; "
        "ISSUE_TAGGER_BERT_MODEL names a folder or a hub model"
    )
    return tuple(name for name in REGISTRY if name not in out), (note,)


def _left_out(evaluation: Evaluation) -> tuple[str, ...]:
    """What a reader must know of slices that were asked for and not scored."""
    from tagger.evaluation.slices import slice_size

    if not evaluation.left_out:
        return ()
    large = [name for name in evaluation.left_out if slice_size(name) > evaluation.smallest_pool]
    others = [name for name in evaluation.left_out if name not in large]
    notes = []
    if large:
        notes.append(
            f"slice {', '.join(large)} left out: beside the test set there are "
            f"{evaluation.smallest_pool} labelled issues to learn from"
        )
    if others:
        notes.append(
            f"slice {', '.join(others)} left out: none of these strategies works with so little"
        )
    return tuple(notes)
