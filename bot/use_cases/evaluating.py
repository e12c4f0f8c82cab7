"""Evaluate: score strategies on a repository's own issues, cell by cell, and write the report."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.use_cases.training_data import training_data
from store.records import EvaluationCell
from tagger.evaluation.cells import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from store.database import Store
    from tagger.evaluation.cells import CellKey
    from tagger.evaluation.report.extras import Extras
    from tagger.evaluation.slices import SplitPlan
    from tagger.issue import TrainingSet
    from tagger.strategy import Resources

KIND = "evaluate"
NEEDS_BERT = ("fine-tuned", "adapted")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation found: its report as files, and the content of `report.json`."""

    files: tuple[Path, ...]
    report: dict[str, Any]
    notes: tuple[str, ...]


class StoredCells:
    """A `CellStore` in the database.

    :param run_id: finished cells go there.
    :param earlier: runs on the same data and models, whose cells are as good as this one's.
    """

    def __init__(
        self, store: Store, run_id: int, clock: Callable[[], datetime], earlier: Sequence[int] = ()
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock
        with store.read() as work:
            self._known = {
                cell.key: cell.result
                for run in (*reversed(earlier), run_id)
                for cell in work.evaluations.cells(run)
            }

    def get(self, key: CellKey) -> Cell | None:
        """The finished cell, or None.

        :raises CellDamaged: it cannot be read back.
        """
        found = self._known.get(key.text)
        return None if found is None else Cell.of_json(dict(found))

    def put(self, key: CellKey, cell: Cell) -> None:
        with self._store.begin() as work:
            kept = EvaluationCell(key.text, cell.to_json())
            work.evaluations.put_cell(self._run_id, kept, self._clock())


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
    resume: bool = False,
    issue_url: str = "",
) -> Evaluated:
    """Score every strategy on every slice with every seed, and write the report into `out`.

    :param strategies: by name; None: all that have their models here.
    :param resume: take finished cells of earlier runs on the same data with the same models.
    :raises TooFewIssues: the issues cannot be parted as planned.
    :raises UnknownStrategy: with the names there are.
    """
    from tagger.evaluation.contest import contestants
    from tagger.evaluation.report.writing import write_report
    from tagger.evaluation.runner import evaluate as score
    from tagger.evaluation.runner import run_fingerprint

    data = training_data(store, repository, labels, resources.progress)
    _check_holdout(data, plan)
    names, notes = _playing(strategies, resources)
    who = contestants(names, resources)
    settings, fingerprint = {"models": _models(resources)}, run_fingerprint(data, plan)
    with store.begin() as work:
        repository_id = work.repositories.get(repository).id
        earlier = [
            run.id
            for run in work.evaluations.list(repository_id, kind=KIND)
            if run.fingerprint == fingerprint and dict(run.settings) == settings
        ]
        previous = work.evaluations.latest(repository_id, KIND)
        run = work.evaluations.start(repository_id, KIND, fingerprint, settings, clock())
    cells = StoredCells(store, run.id, clock, earlier if resume else ())
    found = score(data, who, plan, range(seeds), cells, resume=resume, progress=resources.progress)
    extras = _extras(
        data, resources, repository, issue_url=issue_url, notes=notes, previous=previous
    )
    files = write_report(found, extras, out)
    report = json.loads(files[0].read_text(encoding="utf-8"))
    with store.begin() as work:
        work.evaluations.finish(run.id, report, clock())
    return Evaluated(files, report, notes)


def read_numbers(path: Path) -> frozenset[int]:
    """Issue numbers from a file: separated by blanks, commas or lines, with or without `#`.

    :raises CommandRefused: something else is in it, or nothing.
    """
    try:
        words = re.split(r"[\s,\[\]]+", path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{path} cannot be read: {error}") from None
    words = [word.removeprefix("#") for word in words if word]
    wrong = [word for word in words if not (word.isascii() and word.isdigit())]
    if wrong or not words:
        got = repr(wrong[0][:40]) if wrong else "nothing"
        raise CommandRefused(f"{path}: got {got}, expected issue numbers, one a line")
    return frozenset(map(int, words))


def _check_holdout(data: TrainingSet, plan: SplitPlan) -> None:
    if plan.holdout and not plan.holdout & set(data.numbers):
        raise CommandRefused(
            f"none of the {len(plan.holdout)} issues to hold out carries a label of the set; "
            "check the numbers, and the labels"
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


def _models(resources: Resources) -> dict[str, str | None]:
    """Which models scored: cells of other models are other cells."""
    from tagger.model_sources import weights_digest

    def digest(folder: Path | None) -> str | None:
        return weights_digest(folder) if folder else None

    return {
        "encoder": resources.encoder().identity,
        "bert": digest(resources.bert_model),
        "zero_shot": digest(resources.zero_shot_model),
    }


def _extras(
    data: TrainingSet,
    resources: Resources,
    repository: str,
    *,
    issue_url: str,
    notes: tuple[str, ...],
    previous: Any,
) -> Extras:
    from tagger.evaluation.report.extras import Extras

    return Extras(
        repository,
        issue_url=issue_url,
        vectors=resources.encoder().encode([issue.full for issue in data.issues]),
        previous=dict(previous.report) if previous and previous.report else None,
        notes=notes,
    )
