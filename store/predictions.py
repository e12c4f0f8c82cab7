"""Predictions: every label's score, cut and decision, once for a delivery.

- `record(prediction) -> bool`: False where the delivery has its prediction already
- `list(repository_id, number=None, since=None, limit=None)`: the newest first
- `latest(repository_id, number) -> StoredPrediction | None`
- `numbers_since(repository_id, at) -> frozenset[int]`
- `count(repository_id=None)`
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, or_, select

from store.engine.upsert import chunks, dialect_of, insert_for
from store.errors import NotStored
from store.records import PredictedLabel, PredictionRecord, StoredPrediction
from store.tables import IssueRow, PredictionLabelRow, PredictionRow, ReleaseRow
from store.tombstones import Tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Insert, Select
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.dml import ReturningInsert


class Predictions:
    """The gateway to predictions within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, prediction: PredictionRecord) -> bool:
        """Keep what a release said; False: this delivery has a prediction and keeps that one.

        :raises NotStored: the issue or the release is not stored.
        """
        row = {
            "repository_id": prediction.repository_id,
            "issue_id": self._issue_id(prediction),
            "release_id": self._release(prediction),
            "delivery_id": prediction.delivery_id,
            "at": prediction.at,
            "mode": prediction.mode,
            "inclusion": prediction.inclusion,
            "informativeness": prediction.informativeness,
        }
        made = self._session.execute(_adding(dialect_of(self._session)), [row]).first()
        if made is None:
            return False
        gone = self._erased(prediction)
        labels = [_label_row(made[0], label, gone) for label in prediction.labels]
        if labels:
            self._session.execute(_adding_labels(), labels)
        return True

    def list(
        self,
        repository_id: int,
        *,
        number: int | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[StoredPrediction, ...]:
        """Predictions, the newest first."""
        query = _joined().where(PredictionRow.repository_id == repository_id)
        if number is not None:
            query = query.where(IssueRow.number == number)
        if since is not None:
            query = query.where(PredictionRow.at >= since)
        return self._stored(query.limit(limit))

    def latest(self, repository_id: int, number: int) -> StoredPrediction | None:
        """The newest prediction for the issue, or None."""
        return next(iter(self.list(repository_id, number=number, limit=1)), None)

    def newest(
        self, repository_id: int, since: datetime, before: datetime | None, limit: int
    ) -> tuple[StoredPrediction, ...]:
        """Predictions of a time, the newest first.

        Each with the labels that the bot spoke of and the likeliest one: every label of many
        predictions would be too much to read for a page.
        """
        query = _joined().where(
            PredictionRow.repository_id == repository_id, PredictionRow.at >= since
        )
        if before is not None:
            query = query.where(PredictionRow.at < before)
        rows = self._session.execute(query.limit(limit)).all()
        labels = self._telling_labels([row.id for row, _ in rows])
        return tuple(_stored(row, number, labels.get(row.id, ())) for row, number in rows)

    def count_since(self, repository_id: int, since: datetime) -> int:
        """How many predictions were made at this time or later."""
        query = select(func.count()).where(
            PredictionRow.repository_id == repository_id, PredictionRow.at >= since
        )
        return self._session.scalars(query).one()

    def count(self, repository_id: int | None = None) -> int:
        """How many predictions are kept, of one repository or of all."""
        query = select(func.count()).select_from(PredictionRow)
        if repository_id is not None:
            query = query.where(PredictionRow.repository_id == repository_id)
        return self._session.scalars(query).one()

    def numbers_since(self, repository_id: int, at: datetime) -> frozenset[int]:
        """Issues with a prediction made at this time or later."""
        query = (
            select(IssueRow.number)
            .join(PredictionRow, PredictionRow.issue_id == IssueRow.id)
            .where(PredictionRow.repository_id == repository_id, PredictionRow.at >= at)
        )
        return frozenset(self._session.scalars(query))

    def _erased(self, prediction: PredictionRecord) -> frozenset[int]:
        """Precedents that were deleted; a release that is loaded may still name them."""
        neighbours = {
            int(neighbour["number"])
            for label in prediction.labels
            for neighbour in label.neighbours
        }
        return Tombstones(self._session).of_numbers(prediction.repository_id, neighbours)

    def _issue_id(self, prediction: PredictionRecord) -> int:
        parameters = {"repository": prediction.repository_id, "number": prediction.number}
        issue_id = self._session.scalars(_issue_ids(), parameters).one_or_none()
        if issue_id is None:
            raise NotStored("issue", f"#{prediction.number}", "store the issue first")
        return issue_id

    def _release(self, prediction: PredictionRecord) -> str:
        parameters = {"repository": prediction.repository_id, "release": prediction.release}
        release_id = self._session.scalars(_release_ids(), parameters).one_or_none()
        if release_id is None:
            raise NotStored("release", prediction.release, "add the release first")
        return release_id

    def _stored(self, query: Select[PredictionRow, int]) -> tuple[StoredPrediction, ...]:
        rows = self._session.execute(query).all()
        labels = self._labels(row.id for row, _ in rows)
        return tuple(_stored(row, number, labels.get(row.id, ())) for row, number in rows)

    def _telling_labels(self, ids: Sequence[int]) -> Mapping[int, Sequence[PredictedLabel]]:
        labels = defaultdict(list)
        best = (
            select(
                PredictionLabelRow.prediction_id, func.max(PredictionLabelRow.score).label("top")
            )
            .where(PredictionLabelRow.prediction_id.in_(ids))
            .group_by(PredictionLabelRow.prediction_id)
            .subquery()
        )
        acted = PredictionLabelRow.action.in_(("set", "suggested"))
        decided = PredictionLabelRow.decision != "abstain"
        query = (
            select(PredictionLabelRow)
            .join(best, best.c.prediction_id == PredictionLabelRow.prediction_id)
            .where(or_(acted, decided, PredictionLabelRow.score == best.c.top))
            .order_by(PredictionLabelRow.score.desc(), PredictionLabelRow.name)
        )
        for row in self._session.scalars(query):
            labels[row.prediction_id].append(_label(row))
        return labels

    def _labels(self, ids: Iterable[int]) -> Mapping[int, Sequence[PredictedLabel]]:
        labels = defaultdict(list)
        for chunk in chunks(ids):
            query = (
                select(PredictionLabelRow)
                .where(PredictionLabelRow.prediction_id.in_(chunk))
                .order_by(PredictionLabelRow.score.desc(), PredictionLabelRow.name)
            )
            for row in self._session.scalars(query):
                labels[row.prediction_id].append(_label(row))
        return labels


@cache
def _issue_ids() -> Select[int]:
    return select(IssueRow.id).where(
        IssueRow.repository_id == bindparam("repository"), IssueRow.number == bindparam("number")
    )


@cache
def _release_ids() -> Select[str]:
    return select(ReleaseRow.id).where(
        ReleaseRow.repository_id == bindparam("repository"), ReleaseRow.id == bindparam("release")
    )


@cache
def _adding(dialect: str) -> ReturningInsert[int]:
    statement = insert_for(dialect, PredictionRow)
    return statement.on_conflict_do_nothing(index_elements=["delivery_id"]).returning(
        PredictionRow.id
    )


@cache
def _adding_labels() -> Insert:
    return insert(PredictionLabelRow)


def _joined() -> Select[PredictionRow, int]:
    return (
        select(PredictionRow, IssueRow.number)
        .join(IssueRow, IssueRow.id == PredictionRow.issue_id)
        .order_by(PredictionRow.at.desc(), PredictionRow.id.desc())
    )


def _stored(row: PredictionRow, number: int, labels: Iterable[PredictedLabel]) -> StoredPrediction:
    return StoredPrediction(
        id=row.id,
        number=number,
        release=row.release_id,
        at=row.at,
        mode=row.mode,
        delivery_id=row.delivery_id,
        labels=tuple(labels),
        inclusion=row.inclusion,
        informativeness=row.informativeness,
    )


def _label_row(
    prediction_id: int, label: PredictedLabel, gone: frozenset[int]
) -> dict[str, object]:
    return {
        "prediction_id": prediction_id,
        "name": label.name,
        "score": float(label.score),
        "cut": float(label.cut),
        "decision": label.decision,
        "decided_by": label.decided_by,
        "votes": {strategy: float(score) for strategy, score in label.votes.items()},
        "neighbours": [
            dict(neighbour) for neighbour in label.neighbours if neighbour["number"] not in gone
        ],
        "drawn": label.drawn,
        "action": label.action,
        "inclusion": label.inclusion,
    }


def _label(row: PredictionLabelRow) -> PredictedLabel:
    return PredictedLabel(
        name=row.name,
        score=row.score,
        cut=row.cut,
        decision=row.decision,
        decided_by=row.decided_by,
        votes=dict(row.votes),
        neighbours=tuple(row.neighbours),
        drawn=row.drawn,
        action=row.action,
        inclusion=row.inclusion,
    )
