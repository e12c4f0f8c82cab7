"""Questions: what the weekly budget asked people, and what could have been asked.

- `asked(repository_id, since) -> tuple[AskedQuestion, …]`: the oldest first
- `informativeness(repository_id, since)`: times and values of each issue's most informative
question - `examples(repository_id) -> dict[str, int]`: issues by folded label
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from store.engine.text import name_key
from store.issue_history import field_targets
from store.records import AskedQuestion
from store.records.issue_types import type_target
from store.tables import IssueLabelRow, IssueRow, PredictionLabelRow, PredictionRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


class Questions:
    """The gateway to questions within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def asked(self, repository_id: int, since: datetime) -> tuple[AskedQuestion, ...]:
        """What the weekly budget asked at this time or later."""
        label = PredictionLabelRow
        query = (
            select(label.name, label.neighbours, PredictionRow.at)
            .join(PredictionRow, PredictionRow.id == label.prediction_id)
            .where(
                PredictionRow.repository_id == repository_id,
                PredictionRow.at >= since,
                label.drawn == "budget",
            )
            .order_by(PredictionRow.at, PredictionRow.id)
        )
        return tuple(
            AskedQuestion(name, at, frozenset(neighbour["number"] for neighbour in neighbours))
            for name, neighbours, at in self._session.execute(query)
        )

    def informativeness(
        self, repository_id: int, since: datetime
    ) -> tuple[tuple[datetime, float], ...]:
        """How much each issue's most informative question would have taught, the oldest first."""
        query = (
            select(PredictionRow.at, PredictionRow.informativeness)
            .where(
                PredictionRow.repository_id == repository_id,
                PredictionRow.at >= since,
                PredictionRow.informativeness.is_not(None),
            )
            .order_by(PredictionRow.at, PredictionRow.id)
        )
        return tuple((at, value) for at, value in self._session.execute(query) if value is not None)

    def examples(self, repository_id: int) -> dict[str, int]:
        """How many issues carry each label, type or field value now, by its folded name."""
        types = (
            select(IssueRow.type, func.count())
            .where(IssueRow.repository_id == repository_id, IssueRow.type != "")
            .group_by(IssueRow.type)
        )
        examples = {
            name_key(type_target(name)): number for name, number in self._session.execute(types)
        }
        for name, number in field_targets(self._session, repository_id).items():
            examples[name_key(name)] = examples.get(name_key(name), 0) + number
        query = (
            select(IssueLabelRow.name_key, func.count())
            .join(IssueRow, IssueRow.id == IssueLabelRow.issue_id)
            .where(IssueRow.repository_id == repository_id)
            .group_by(IssueLabelRow.name_key)
        )
        return examples | {key: number for key, number in self._session.execute(query)}  # noqa: C416 - rows are no tuples
