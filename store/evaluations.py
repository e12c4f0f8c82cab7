"""Evaluation runs and their finished cells, so that a killed run goes on where it stopped.

- `start(repository_id, kind, fingerprint, settings, now) -> EvaluationRun`
- `put_cell(run_id, cell, now) -> bool`: False where the cell was there; the first one stays
- `cells(run_id) -> tuple[EvaluationCell, …]`, `cell(run_id, key)`, `cell_keys(run_id)`
- `copy_cells(run_id, earlier, now) -> int`: an earlier run's cells stand in this one as well
- `finish(run_id, report, now)`, `fail(run_id, error, now)`
- `get(run_id)`, `latest(repository_id, kind) -> EvaluationRun | None`: finished ones only,
  `list(repository_id, kind=None, limit=None)`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, insert, literal, select
from sqlalchemy.orm import aliased

from store.engine.upsert import insert_into
from store.errors import NotStored
from store.records import EvaluationCell, EvaluationRun
from store.tables import EvaluationCellRow, EvaluationRunRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session


class Evaluations:
    """The gateway to evaluation runs within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self,
        repository_id: int,
        kind: str,
        fingerprint: str,
        settings: Mapping[str, Any],
        now: datetime,
    ) -> EvaluationRun:
        """Begin a run. `kind` says what for ("evaluate", "report", "audit")."""
        row = EvaluationRunRow(
            repository_id=repository_id,
            kind=kind,
            fingerprint=fingerprint,
            settings=dict(settings),
            state="running",
            started_at=now,
        )
        self._session.add(row)
        self._session.flush()
        return _run(row)

    def put_cell(self, run_id: int, cell: EvaluationCell, now: datetime) -> bool:
        """Keep a finished cell; False: it was there, and stays as it was."""
        row = {
            "run_id": run_id,
            "key": cell.key,
            "result": dict(cell.result),
            "scores": cell.scores,
            "at": now,
        }
        statement = insert_into(self._session, EvaluationCellRow).on_conflict_do_nothing()
        made = self._session.execute(statement.returning(EvaluationCellRow.key), [row])
        return made.first() is not None

    def cells(self, run_id: int) -> tuple[EvaluationCell, ...]:
        """The run's finished cells, by key."""
        query = select(EvaluationCellRow).where(EvaluationCellRow.run_id == run_id)
        rows = self._session.scalars(query.order_by(EvaluationCellRow.key))
        return tuple(EvaluationCell(row.key, row.result, row.scores) for row in rows)

    def cell(self, run_id: int, key: str) -> EvaluationCell | None:
        """The finished cell of this key, or None."""
        row = self._session.get(EvaluationCellRow, (run_id, key))
        return None if row is None else EvaluationCell(row.key, row.result, row.scores)

    def copy_cells(self, run_id: int, earlier: int, now: datetime) -> int:
        """Let an earlier run's cells stand in this run as well; returns how many are new to it."""
        old, copies = EvaluationCellRow, aliased(EvaluationCellRow)
        there = exists().where(copies.run_id == run_id, copies.key == old.key)
        wanted = select(
            literal(run_id), old.key, old.result, old.scores, literal(now, old.at.type)
        ).where(old.run_id == earlier, ~there)
        columns = ("run_id", "key", "result", "scores", "at")
        copied = insert(old).from_select(columns, wanted).returning(old.key)
        return len(self._session.execute(copied).all())

    def cell_keys(self, run_id: int) -> frozenset[str]:
        """Which cells are finished, without reading them."""
        query = select(EvaluationCellRow.key).where(EvaluationCellRow.run_id == run_id)
        return frozenset(self._session.scalars(query))

    def finish(self, run_id: int, report: Mapping[str, Any], now: datetime) -> None:
        """The run is through and this is its report.

        :raises NotStored: there is no such run.
        """
        row = self._row(run_id)
        row.state, row.report, row.finished_at, row.error = "done", dict(report), now, None
        self._session.flush()

    def fail(self, run_id: int, error: str, now: datetime) -> None:
        """The run ended in an error; its cells stay and can be resumed from.

        :raises NotStored: there is no such run.
        """
        row = self._row(run_id)
        row.state, row.error, row.finished_at = "failed", error, now
        self._session.flush()

    def get(self, run_id: int) -> EvaluationRun:
        """The run of this number.

        :raises NotStored: there is no such run.
        """
        return _run(self._row(run_id))

    def latest(self, repository_id: int, kind: str) -> EvaluationRun | None:
        """The newest finished run of this kind, or None."""
        query = _newest(repository_id).where(
            EvaluationRunRow.kind == kind, EvaluationRunRow.state == "done"
        )
        row = self._session.scalars(query.limit(1)).one_or_none()
        return None if row is None else _run(row)

    def list(
        self, repository_id: int, *, kind: str | None = None, limit: int | None = None
    ) -> tuple[EvaluationRun, ...]:
        """Runs, the newest first."""
        query = _newest(repository_id)
        if kind is not None:
            query = query.where(EvaluationRunRow.kind == kind)
        return tuple(map(_run, self._session.scalars(query.limit(limit))))

    def _row(self, run_id: int) -> EvaluationRunRow:
        row = self._session.get(EvaluationRunRow, run_id)
        if row is None:
            raise NotStored("evaluation run", run_id)
        return row


def _newest(repository_id: int) -> Select[EvaluationRunRow]:
    return (
        select(EvaluationRunRow)
        .where(EvaluationRunRow.repository_id == repository_id)
        .order_by(EvaluationRunRow.started_at.desc(), EvaluationRunRow.id.desc())
    )


def _run(row: EvaluationRunRow) -> EvaluationRun:
    return EvaluationRun(
        id=row.id,
        repository_id=row.repository_id,
        kind=row.kind,
        fingerprint=row.fingerprint,
        settings=dict(row.settings),
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        report=row.report,
        error=row.error,
    )
