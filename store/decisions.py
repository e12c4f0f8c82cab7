"""Decisions: what people said on a page about labels, until it is undone or told to GitHub.

- `record(repository_id, record) -> StoredDecision`, `undo(decision_id, now)`, `get(decision_id)`
- `list(repository_id, …)`: the newest first; `of_issues(repository_id, numbers)`: those in force
- `not_on_github(repository_id)`: in force and not on GitHub; `mark_on_github(…)`

A decision enters the issue's label history as a person's act (source `page`) and leaves it when it
is undone. One that GitHub does not know of changes the issue's labels here, and keeps them changed
whatever GitHub lists meanwhile (`labels_decided_here`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from store.engine.text import name_key, storable
from store.engine.upsert import chunks, insert_into
from store.errors import NotStored
from store.records import DecisionCounts, DecisionRecord, ReviewEffect, StoredDecision
from store.tables import DecisionRow, IssueLabelRow, IssueRow, LabelEventRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_ACTS = {"approved": "added", "dismissed": "removed"}


class Decisions:
    """The gateway to decisions within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, repository_id: int, decision: DecisionRecord) -> StoredDecision:
        """Keep a decision; one on the same label that is in force gives way to it.

        Of one that GitHub does not know of, `effect` is what it changes here.

        :raises NotStored: the issue is not stored.
        """
        issue_id = self._issue_id(repository_id, decision.number)
        for earlier in self._in_force(issue_id, name_key(decision.label)):
            if earlier.place == "here":
                self.undo(earlier.id, decision.at)
        effect = decision.effect
        if decision.place == "here" and decision.verdict != "skipped":
            effect = self._change_here(issue_id, decision)
        row = DecisionRow(
            repository_id=repository_id,
            issue_id=issue_id,
            name=storable(decision.label),
            name_key=name_key(decision.label),
            verdict=decision.verdict,
            origin=decision.origin,
            place=decision.place,
            effect=effect,
            actor=storable(decision.actor),
            at=decision.at,
        )
        self._session.add(row)
        self._session.flush()
        self._put_into_history(row)
        return _stored(row, decision.number)

    def undo(self, decision_id: int, now: datetime) -> StoredDecision:
        """Take a decision back; what it changed here is as it was before. Twice changes nothing.

        :raises NotStored: there is no such decision.
        """
        row, number = self._row(decision_id)
        if row.undone_at is None:
            row.undone_at = now
            self._session.flush()
            history = LabelEventRow.source_key == _history_key(row)
            self._session.execute(
                delete(LabelEventRow).where(LabelEventRow.issue_id == row.issue_id, history)
            )
            if row.place == "here":
                self._change_back(row)
        return _stored(row, number)

    def get(self, decision_id: int) -> StoredDecision:
        """The decision of this id.

        :raises NotStored: there is no such decision.
        """
        return _stored(*self._row(decision_id))

    def list(self, repository_id: int, *, limit: int | None = None) -> tuple[StoredDecision, ...]:
        """Decisions, undone ones among them, the newest first."""
        query = _joined(repository_id).order_by(DecisionRow.at.desc(), DecisionRow.id.desc())
        return self._all(query.limit(limit))

    def of_issues(
        self, repository_id: int, numbers: Collection[int]
    ) -> dict[tuple[int, str], StoredDecision]:
        """The decision in force on each label of these issues, by number and folded name."""
        in_force: dict[tuple[int, str], StoredDecision] = {}
        for some in chunks(numbers):
            query = _joined(repository_id).where(
                IssueRow.number.in_(some), DecisionRow.undone_at.is_(None)
            )
            for decision in self._all(query.order_by(DecisionRow.id)):
                in_force[decision.number, name_key(decision.label)] = decision
        return in_force

    def not_on_github(self, repository_id: int) -> tuple[StoredDecision, ...]:
        """Decisions in force that GitHub does not know of, the oldest first; none that skipped."""
        query = _joined(repository_id).where(
            DecisionRow.place == "here",
            DecisionRow.undone_at.is_(None),
            DecisionRow.verdict != "skipped",
        )
        return self._all(query.order_by(DecisionRow.id))

    def counts(self, repository_id: int) -> DecisionCounts:
        """How much was taught in a repository and is in force."""
        query = (
            select(DecisionRow.verdict, DecisionRow.place, DecisionRow.origin, DecisionRow.issue_id)
            .where(DecisionRow.repository_id == repository_id, DecisionRow.undone_at.is_(None))
            .distinct()
        )
        rows = self._session.execute(query).all()
        answered = {row.issue_id for row in rows if row.origin == "teach"}
        skipped = {row.issue_id for row in rows if row.verdict == "skipped"}
        local = {row.issue_id for row in rows if row.place == "here" and row.verdict != "skipped"}
        return DecisionCounts(len(answered - skipped), len(skipped), len(local))

    def mark_on_github(
        self, decision_id: int, effect: ReviewEffect, run_id: int | None = None
    ) -> None:
        """GitHub knows of it from now on.

        :raises NotStored: there is no such decision.
        """
        row, _ = self._row(decision_id)
        row.place, row.effect, row.run_id = "github", effect, run_id
        self._session.flush()

    def of_run(self, run_id: int) -> tuple[StoredDecision, ...]:
        """Decisions that a run carried to GitHub, the oldest first."""
        query = select(DecisionRow, IssueRow.number).join(
            IssueRow, IssueRow.id == DecisionRow.issue_id
        )
        return self._all(query.where(DecisionRow.run_id == run_id).order_by(DecisionRow.id))

    def back_here(self, run_id: int) -> int:
        """Of a run that was undone the decisions stand, and GitHub knows of them no more."""
        rows = self._session.scalars(select(DecisionRow).where(DecisionRow.run_id == run_id)).all()
        for row in rows:
            row.place, row.run_id = "here", None
            self._session.flush()
            if row.verdict == "approved":
                _set(self._session, row.issue_id, row.name)
        return len(rows)

    def _in_force(self, issue_id: int, key: str) -> Iterable[DecisionRow]:
        return self._session.scalars(
            select(DecisionRow).where(
                DecisionRow.issue_id == issue_id,
                DecisionRow.name_key == key,
                DecisionRow.undone_at.is_(None),
            )
        ).all()

    def _change_here(self, issue_id: int, decision: DecisionRecord) -> ReviewEffect:
        key = name_key(decision.label)
        present = self._session.get(IssueLabelRow, (issue_id, key)) is not None
        if decision.verdict == "approved" and not present:
            _set(self._session, issue_id, decision.label)
            return "added"
        if decision.verdict == "dismissed" and present:
            _take_off(self._session, issue_id, key)
            return "removed"
        return "none"

    def _change_back(self, row: DecisionRow) -> None:
        if row.effect == "added":
            _take_off(self._session, row.issue_id, row.name_key)
        elif row.effect == "removed":
            _set(self._session, row.issue_id, row.name)

    def _put_into_history(self, row: DecisionRow) -> None:
        if row.verdict not in _ACTS:
            return
        event = {
            "issue_id": row.issue_id,
            "name": row.name,
            "name_key": row.name_key,
            "action": _ACTS[row.verdict],
            "actor": row.actor,
            "actor_kind": "person",
            "at": row.at,
            "source": "page",
            "source_key": _history_key(row),
        }
        statement = insert_into(self._session, LabelEventRow).on_conflict_do_nothing()
        self._session.execute(statement, [event])

    def _row(self, decision_id: int) -> tuple[DecisionRow, int]:
        query = select(DecisionRow, IssueRow.number).join(IssueRow)
        query = query.where(DecisionRow.id == decision_id)
        row = self._session.execute(query.execution_options(populate_existing=True)).first()
        if row is None:
            raise NotStored("decision", decision_id)
        return row[0], row[1]

    def _issue_id(self, repository_id: int, number: int) -> int:
        query = select(IssueRow.id).where(
            IssueRow.repository_id == repository_id, IssueRow.number == number
        )
        issue_id = self._session.scalars(query).one_or_none()
        if issue_id is None:
            raise NotStored("issue", f"#{number}", "import or sync the repository first")
        return issue_id

    def _all(self, query: Select[DecisionRow, int]) -> tuple[StoredDecision, ...]:
        return tuple(_stored(row, number) for row, number in self._session.execute(query))


def labels_decided_here(
    session: Session, issue_ids: Iterable[int]
) -> dict[int, dict[str, tuple[str, bool]]]:
    """What people decided that GitHub does not know of.

    :returns: issue id → folded name → name, and whether the label is on the issue.
    """
    decided: dict[int, dict[str, tuple[str, bool]]] = defaultdict(dict)
    query = select(
        DecisionRow.issue_id, DecisionRow.name_key, DecisionRow.name, DecisionRow.verdict
    ).where(
        DecisionRow.place == "here",
        DecisionRow.undone_at.is_(None),
        DecisionRow.effect.in_(("added", "removed")),
    )
    for ids in chunks(issue_ids):
        of_some = query.where(DecisionRow.issue_id.in_(ids)).order_by(DecisionRow.id)
        for issue_id, key, name, verdict in session.execute(of_some):
            decided[issue_id][key] = name, verdict == "approved"
    return decided


def _set(session: Session, issue_id: int, name: str) -> None:
    row = {"issue_id": issue_id, "name_key": name_key(name), "name": storable(name)}
    session.execute(insert_into(session, IssueLabelRow).on_conflict_do_nothing(), [row])


def _take_off(session: Session, issue_id: int, key: str) -> None:
    session.execute(
        delete(IssueLabelRow).where(
            IssueLabelRow.issue_id == issue_id, IssueLabelRow.name_key == key
        )
    )


def _history_key(row: DecisionRow) -> str:
    return f"decision {row.id}"


def _joined(repository_id: int) -> Select[DecisionRow, int]:
    return (
        select(DecisionRow, IssueRow.number)
        .join(IssueRow, IssueRow.id == DecisionRow.issue_id)
        .where(DecisionRow.repository_id == repository_id)
    )


def _stored(row: DecisionRow, number: int) -> StoredDecision:
    return StoredDecision(
        id=row.id,
        repository_id=row.repository_id,
        number=number,
        label=row.name,
        verdict=row.verdict,
        origin=row.origin,
        actor=row.actor,
        at=row.at,
        place=row.place,
        effect=row.effect,
        undone_at=row.undone_at,
        run_id=row.run_id,
    )
