"""Erasing: an issue, or a whole repository, gone from every table.

- `issue(repository_id, number) -> ErasedIssue`: its rows, and the payloads of its deliveries
- `mentions(repository_id, number, github_id)`: what other rows still hold of it
- `issues(repository_id, limit)`, `deliveries(full_name, limit)`,
  `payloads_naming(full_name, limit)`, `repository(repository_id)`: a repository, step by step, so
  that no other writer waits for long

SQLite overwrites what is deleted (`secure_delete`); `Store.compact` does it for older leftovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, delete, false, or_, select, update

from store.engine.text import name_key
from store.tables import (
    DecisionRow,
    DeliveryRow,
    IssueRow,
    LeaseRow,
    PauseRow,
    PredictionLabelRow,
    PredictionRow,
    PromotionRow,
    ReleaseRow,
    RepositoryRow,
    WriteRow,
    WriteRunRow,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Delete, Update
    from sqlalchemy.orm import Session

GONE = "the issue is no longer in this repository"
"""Why its deliveries end that were still to be worked on."""
_UNFINISHED = ("pending", "running")


@dataclass(frozen=True, slots=True)
class ErasedIssue:
    """What there was of an issue.

    :ivar stored: whether it was stored itself.
    :ivar payloads: deliveries that held its words.
    """

    stored: bool
    payloads: int


class Erasing:
    """The gateway that erases, within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def issue(
        self, repository_id: int, number: int, github_id: int | None, now: datetime
    ) -> ErasedIssue:
        """Delete an issue with all that hangs on it, and the words that deliveries hold of it.

        Those that waited for a worker end; what a worker has in hand ends as it ends.

        :param github_id: None, or the id without which nothing is erased: the number may be
            another issue's by now.
        """
        boolean_clause_list = IssueRow.github_id.is_(None) | (IssueRow.github_id == github_id)
        stored = self._number(
            delete(IssueRow)
            .where(
                IssueRow.repository_id == repository_id,
                IssueRow.number == number,
                *(() if github_id is None else (boolean_clause_list,)),
            )
            .returning(IssueRow.id)
        )
        key = self._key(repository_id)
        about = DeliveryRow.lane.in_((f"{key}#{number}", f"{key}#{number} aside"))
        return ErasedIssue(bool(stored), self._drop_payloads(about, now))

    def mentions(
        self, repository_id: int, number: int, github_id: int | None, now: datetime
    ) -> tuple[int, int]:
        """Drop what other rows hold of an issue; how many payloads and precedents that were.

        Payloads may be about something else and still hold its text; predictions for other issues
        name it as a precedent.
        """
        key = self._key(repository_id)
        text = cast(DeliveryRow.payload, Text)
        named = text.icontains(f'/repos/{key}/issues/{number}"', autoescape=True)
        by_id = _holds_id(text, github_id)
        of_number = DeliveryRow.issue_number == number
        about = and_(of_number, or_(DeliveryRow.repository_key == key, by_id))  # or renamed since
        others = and_(
            DeliveryRow.repository_key.in_((key, "")),
            DeliveryRow.state.not_in(_UNFINISHED),  # they are about another issue, which waits
            or_(named, by_id),
        )
        payloads = self._drop_payloads(or_(about, others), now)
        return payloads, self._drop_precedents(repository_id, number)

    def issues(self, repository_id: int, limit: int) -> int:
        """Delete some of a repository's issues; returns how many."""
        some = select(IssueRow.id).where(IssueRow.repository_id == repository_id).limit(limit)
        return self._number(delete(IssueRow).where(IssueRow.id.in_(some)).returning(IssueRow.id))

    def deliveries(self, full_name: str, limit: int) -> int:
        """Delete some of the deliveries about a repository; returns how many."""
        about = DeliveryRow.repository_key == name_key(full_name)
        some = select(DeliveryRow.id).where(about).limit(limit)
        return self._number(
            delete(DeliveryRow).where(DeliveryRow.id.in_(some)).returning(DeliveryRow.id)
        )

    def payloads_naming(self, full_name: str, limit: int) -> int:
        """Drop payloads that are about no one repository and name this one; returns how many."""
        text, key = cast(DeliveryRow.payload, Text), name_key(full_name)
        some = select(DeliveryRow.id).where(
            DeliveryRow.repository_key == "",
            DeliveryRow.state.not_in(_UNFINISHED),
            DeliveryRow.payload.is_not(None),
            text.icontains(f'"{key}"', autoescape=True)
            | text.icontains(f"/{key}/", autoescape=True),
        )
        dropping = update(DeliveryRow).where(DeliveryRow.id.in_(some.limit(limit)))
        return self._number(dropping.values(payload=None).returning(DeliveryRow.id))

    def repository(self, repository_id: int) -> bool:
        """Delete a repository's row and what is left that hangs on it; False: it was not there."""
        key = self._key(repository_id)
        of_it = {"repository_id": repository_id}
        runs = select(WriteRunRow.id).filter_by(**of_it)
        self._session.execute(delete(PauseRow).where(PauseRow.repository_key == key))
        self._session.execute(
            delete(LeaseRow).where(LeaseRow.name.startswith(f"issue {repository_id}#"))
        )
        for statement in (
            delete(WriteRow).where(WriteRow.run_id.in_(runs)),
            update(WriteRunRow).filter_by(**of_it).values(undoes_id=None),
            update(DecisionRow).filter_by(**of_it).values(run_id=None),
            delete(WriteRunRow).filter_by(**of_it),
            delete(PredictionRow).filter_by(**of_it),
            delete(PromotionRow).filter_by(**of_it),
            delete(ReleaseRow).filter_by(**of_it),
        ):
            self._session.execute(statement, execution_options={"synchronize_session": False})
        gone = delete(RepositoryRow).filter_by(id=repository_id).returning(RepositoryRow.id)
        return bool(self._number(gone))

    def _drop_payloads(self, about: ColumnElement[bool], now: datetime) -> int:
        waiting = and_(about, DeliveryRow.state == "pending")
        self._session.execute(
            update(DeliveryRow)
            .where(waiting)
            .values(state="ignored", finished_at=now, error=GONE)
            .execution_options(synchronize_session=False)
        )
        held = and_(about, or_(DeliveryRow.payload.is_not(None), DeliveryRow.error.is_not(None)))
        rows = self._session.execute(
            select(DeliveryRow.id, DeliveryRow.payload.is_not(None), DeliveryRow.error).where(held)
        ).all()
        for row_id, _, error in rows:
            self._session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == row_id)
                .values(payload=None, error=_without_quotes(error))
                .execution_options(synchronize_session=False)
            )
        return sum(1 for _, had_payload, _ in rows if had_payload)

    def _drop_precedents(self, repository_id: int, number: int) -> int:
        key = PredictionLabelRow.prediction_id, PredictionLabelRow.name
        of_it = select(PredictionRow.id).where(PredictionRow.repository_id == repository_id)
        named = cast(PredictionLabelRow.neighbours, Text).contains(f'"number":{number},')
        rows = self._session.execute(
            select(*key, PredictionLabelRow.neighbours).where(key[0].in_(of_it), named)
        ).all()
        for prediction_id, name, neighbours in rows:
            left = [neighbour for neighbour in neighbours if neighbour.get("number") != number]
            self._session.execute(
                update(PredictionLabelRow)
                .where(key[0] == prediction_id, key[1] == name)
                .values(neighbours=left)
                .execution_options(synchronize_session=False)
            )
        return len(rows)

    def _key(self, repository_id: int) -> str:
        query = select(RepositoryRow.name_key).where(RepositoryRow.id == repository_id)
        return self._session.scalars(query).one_or_none() or ""

    def _number(self, statement: Delete | Update | Any) -> int:
        options = {"synchronize_session": False}
        return len(self._session.execute(statement, execution_options=options).all())


def _holds_id(text: ColumnElement[str], github_id: int | None) -> ColumnElement[bool]:
    """Whether JSON holds something of this id, whatever it is: ids are numbers of nine digits."""
    if github_id is None:
        return false()
    return text.contains(f'"id":{github_id},') | text.contains(f'"id":{github_id}' + "}")


def _without_quotes(error: str | None) -> str | None:
    """What a delivery failed of, without the message: it may quote what it stumbled over."""
    return error if error is None or error == GONE else error.partition(":")[0]
