"""Write runs: which labels the bot means to set, has set and has taken back, for crash and undo.

- `open_run(repository_id, kind, now, delivery_id=None, undoes=None, detail=None) -> WriteRun`
- `intend(run_id, number, labels, now, form="label") -> tuple[Write, …]`: before GitHub is asked
- `mark(write_id, state, now, reason="", external_id=None)`: after it answered
- `take_back(write_id, reason)`: before GitHub is asked to take the label off
- `close_run(run_id, now)`, `run(run_id)`, `runs(repository_id, limit)`, `unfinished(…)`
- `list(run_id=None, repository_id=None, number=None, state=None, form=None)`

A label that is marked `written` enters the issue's label history as the bot's own act in the
same transaction, and leaves it when marked `undone`: what the bot set is never taken for a
person's word, even if GitHub's webhook about it is lost.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from store.engine.text import name_key
from store.engine.upsert import insert_into
from store.errors import NotStored
from store.records import Write, WriteForm, WriteRun, WriteRunKind, WriteState
from store.tables import IssueRow, LabelEventRow, WriteRow, WriteRunRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_OWN_ACTS = {"written": "added", "undone": "removed"}


class Writes:
    """The gateway to write runs within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open_run(
        self,
        repository_id: int,
        kind: WriteRunKind,
        now: datetime,
        *,
        delivery_id: int | None = None,
        undoes: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> WriteRun:
        """Begin a run; for a delivery that has one (its worker died), that run goes on."""
        row = {
            "repository_id": repository_id,
            "kind": kind,
            "delivery_id": delivery_id,
            "undoes_id": undoes,
            "started_at": now,
            "detail": dict(detail or {}),
        }
        statement = insert_into(self._session, WriteRunRow).on_conflict_do_nothing(
            index_elements=["delivery_id"]
        )
        made = self._session.execute(statement.returning(WriteRunRow.id), [row]).first()
        if made is not None:
            return WriteRun(
                id=made[0],
                repository_id=repository_id,
                kind=kind,
                started_at=now,
                finished_at=None,
                delivery_id=delivery_id,
                undoes=undoes,
                detail=dict(detail or {}),
            )
        query = select(WriteRunRow.id).where(WriteRunRow.delivery_id == delivery_id)
        return self.run(self._session.scalars(query).one())

    def close_run(self, run_id: int, now: datetime) -> None:
        """The run is through.

        :raises NotStored: there is no such run.
        """
        self._run_row(run_id).finished_at = now
        self._session.flush()

    def run(self, run_id: int) -> WriteRun:
        """The run of this number.

        :raises NotStored: there is no such run.
        """
        return _run(self._run_row(run_id))

    def runs(
        self,
        repository_id: int,
        *,
        kind: WriteRunKind | None = None,
        unfinished: bool = False,
        limit: int | None = None,
    ) -> tuple[WriteRun, ...]:
        """The repository's runs, the newest first; `unfinished` leaves out those that ended."""
        query = select(WriteRunRow).where(WriteRunRow.repository_id == repository_id)
        if kind is not None:
            query = query.where(WriteRunRow.kind == kind)
        if unfinished:
            query = query.where(WriteRunRow.finished_at.is_(None))
        newest = query.order_by(WriteRunRow.started_at.desc(), WriteRunRow.id.desc())
        return tuple(_run(row) for row in self._session.scalars(newest.limit(limit)))

    def intend(
        self,
        run_id: int,
        number: int,
        labels: Iterable[str],
        now: datetime,
        *,
        form: WriteForm = "label",
        external_ids: Mapping[str, str] | None = None,
    ) -> tuple[Write, ...]:
        """Put down what is about to be asked of GitHub; what was put down before stays as it is.

        :param external_ids: GitHub's ids of the labels as they are now, by folded name.
        :raises NotStored: the run or the issue is not stored.
        """
        issue_id = self._issue_id(run_id, number)
        keys = {name_key(label): label for label in labels}
        rows = [
            {
                "run_id": run_id,
                "issue_id": issue_id,
                "name": label,
                "name_key": key,
                "form": form,
                "state": "intended",
                "reason": "",
                "at": now,
                "external_id": (external_ids or {}).get(key),
            }
            for key, label in keys.items()
        ]
        if rows:
            statement = insert_into(self._session, WriteRow).on_conflict_do_nothing()
            self._session.execute(statement, rows)
        writes = self.list(run_id=run_id, number=number, form=form)
        return tuple(write for write in writes if name_key(write.label) in keys)

    def mark(
        self,
        write_id: int,
        state: WriteState,
        now: datetime,
        *,
        reason: str = "",
        external_id: str | None = None,
    ) -> None:
        """Put down what became of it; `reason` says why something was left alone.

        :raises NotStored: there is no such write.
        """
        row = self._row(write_id)
        was = row.state
        row.state, row.at, row.reason = state, now, reason
        row.external_id = external_id or row.external_id
        self._session.flush()
        if state != was and row.form == "label" and state in _OWN_ACTS:
            self._put_into_history(row, _OWN_ACTS[state], now)

    def take_back(self, write_id: int, reason: str) -> None:
        """Put down why a label is about to be taken off; "": it is not, after all.

        It keeps its state until it is marked `undone`.

        :raises NotStored: there is no such write.
        """
        self._row(write_id).reason = reason
        self._session.flush()

    def list(
        self,
        *,
        run_id: int | None = None,
        repository_id: int | None = None,
        number: int | None = None,
        state: WriteState | None = None,
        form: WriteForm | None = None,
    ) -> tuple[Write, ...]:
        """Writes in the order in which they were intended, narrowed by what is given."""
        narrowed = {
            "run": run_id,
            "repository": repository_id,
            "number": number,
            "state": state,
            "form": form,
        }
        wanted = {name: value for name, value in narrowed.items() if value is not None}
        rows = self._session.execute(_listed(*wanted), wanted)
        return tuple(_write(row, issue_number) for row, issue_number in rows)

    def count_unanswered(self, repository_ids: Collection[int]) -> dict[int, int]:
        """How many suggestions wait for a person; repositories without any are left out."""
        query = (
            select(IssueRow.repository_id, func.count())
            .select_from(WriteRow)
            .join(IssueRow, IssueRow.id == WriteRow.issue_id)
            .where(
                IssueRow.repository_id.in_(repository_ids),
                WriteRow.state == "written",
                WriteRow.form.in_(("suggestion", "comment")),
            )
            .group_by(IssueRow.repository_id)
        )
        return {repository_id: count for repository_id, count in self._session.execute(query)}  # noqa: C416 - rows are no tuples

    def _put_into_history(self, row: WriteRow, action: str, now: datetime) -> None:
        event = {
            "issue_id": row.issue_id,
            "name": row.name,
            "name_key": row.name_key,
            "action": action,
            "actor": None,
            "actor_kind": "self",
            "at": now,
            "source": "write",
            "source_key": f"write {row.id}",
        }
        statement = insert_into(self._session, LabelEventRow).on_conflict_do_nothing()
        self._session.execute(statement, [event])

    def _row(self, write_id: int) -> WriteRow:
        row = self._session.get(WriteRow, write_id, populate_existing=True, with_for_update=True)
        if row is None:
            raise NotStored("write", write_id)
        return row

    def _run_row(self, run_id: int) -> WriteRunRow:
        row = self._session.get(WriteRunRow, run_id)
        if row is None:
            raise NotStored("write run", run_id, "issue-tagger backfill and undo name their runs")
        return row

    def _issue_id(self, run_id: int, number: int) -> int:
        issue_id = self._session.scalars(_issue(), {"run": run_id, "number": number}).one_or_none()
        if issue_id is None:
            self._run_row(run_id)  # or it is the run that is not there
            raise NotStored("issue", f"#{number}", "store the issue first")
        return issue_id


@cache
def _issue() -> Select[int]:
    query = select(IssueRow.id).join(
        WriteRunRow, WriteRunRow.repository_id == IssueRow.repository_id
    )
    return query.where(WriteRunRow.id == bindparam("run"), IssueRow.number == bindparam("number"))


@cache
def _listed(*columns: str) -> Select[WriteRow, int]:
    """Writes narrowed by these columns, whose values are its parameters."""
    by_name = {
        "run": WriteRow.run_id,
        "repository": IssueRow.repository_id,
        "number": IssueRow.number,
        "state": WriteRow.state,
        "form": WriteRow.form,
    }
    query = _joined().where(*(by_name[name] == bindparam(name) for name in columns))
    return query.execution_options(populate_existing=True)


def _joined() -> Select[WriteRow, int]:
    return (
        select(WriteRow, IssueRow.number)
        .join(IssueRow, IssueRow.id == WriteRow.issue_id)
        .order_by(WriteRow.id)
    )


def _run(row: WriteRunRow) -> WriteRun:
    return WriteRun(
        id=row.id,
        repository_id=row.repository_id,
        kind=row.kind,
        started_at=row.started_at,
        finished_at=row.finished_at,
        delivery_id=row.delivery_id,
        undoes=row.undoes_id,
        detail=dict(row.detail),
    )


def _write(row: WriteRow, number: int) -> Write:
    return Write(
        id=row.id,
        run_id=row.run_id,
        number=number,
        label=row.name,
        form=row.form,
        state=row.state,
        reason=row.reason,
        external_id=row.external_id,
        at=row.at,
    )
