"""Outcomes: what the bot said and did about labels, and what people said to it.

- `walk(repository_id, since=None, until=None, everything=False, patience=None)`

How good the bot is in use can be told from this without bias. The audit draws issues by chance,
puts what the bot would have set on them before people as questions, and asks one question more,
about a label that the bot would not have named. Of the rows with `drawn == "audit"`:

- precision of a label: those with an `inclusion` whose `decision` is `apply`; the share of
  `confirmed` among those answered, each weighing `1 / inclusion` (Horvitz and Thompson 1952);
- miss rate: of those with an `inclusion` that were `confirmed`, the share whose `decision` is
  `abstain`, each weighing `1 / inclusion`;
- both once more without asking: all rows with a `reviewed_at`, where a label that is neither
  `confirmed` nor `added` was not wanted, each weighing `1 / issue_inclusion`.

The other rows tell of more issues, but of those that people happened to look at. In mode `shadow`
nobody is shown anything: there, `everything` is an audit of all issues, each weighing 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import or_, select

from store.engine.text import name_key
from store.engine.upsert import chunks
from store.issue_history import acts_of, targets_of
from store.issues import is_of
from store.labels import Labels
from store.provenance import PEOPLE, Act, answer_to
from store.records import Decision, LabelAction, LabelOutcome
from store.tables import IssueRow, PredictionLabelRow, PredictionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from store.provenance import ImplicitConsent
    from store.records import TargetKind


class _PredictionColumns(NamedTuple):
    """What one prediction said of one label: plain columns, because there are very many."""

    number: int
    issue_id: int
    release: str
    at: datetime
    issue_inclusion: float | None
    label: str
    score: float
    cut: float
    decision: Decision
    action: LabelAction | None
    drawn: str | None
    inclusion: float | None


_COLUMNS = (
    IssueRow.number,
    PredictionRow.issue_id,
    PredictionRow.release_id,
    PredictionRow.at,
    PredictionRow.inclusion,
    PredictionLabelRow.name,
    PredictionLabelRow.score,
    PredictionLabelRow.cut,
    PredictionLabelRow.decision,
    PredictionLabelRow.action,
    PredictionLabelRow.drawn,
    PredictionLabelRow.inclusion,
)


class Outcomes:
    """The gateway to what came of labels within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def walk(
        self,
        repository_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
        patience: ImplicitConsent | None = None,
        target: TargetKind = "issues",
    ) -> Iterator[LabelOutcome]:
        """One row for each label of each issue, by falling issue number, then by label.

        Of several predictions the first in which the bot did something about the label counts,
        else the first that said something of it.

        :param since: predictions made at this time or later; `until`: earlier than this.
        :param everything: also labels that were neither set nor suggested nor drawn.
        :param patience: counts a label of the bot's that stood unopposed for so long as confirmed.
        :param target: what the bot spoke of; the figures of one kind say nothing of the other.
        """
        renames = Labels(self._session).renames(repository_id)
        for numbers in chunks(self._issues(repository_id, since, until, target), size=100):
            rows = self._rows(numbers, since, until, everything=everything)
            yield from self._outcomes(rows, renames, patience)

    def _issues(
        self,
        repository_id: int,
        since: datetime | None,
        until: datetime | None,
        target: TargetKind,
    ) -> list[int]:
        """Ids of issues with a prediction, by falling number."""
        query = (
            select(IssueRow.id, IssueRow.number)
            .join(PredictionRow, PredictionRow.issue_id == IssueRow.id)
            .where(
                PredictionRow.repository_id == repository_id, is_of(target), *_when(since, until)
            )
            .order_by(IssueRow.number.desc())
            .distinct()
        )
        return [row[0] for row in self._session.execute(query)]

    def _rows(
        self,
        issue_ids: Sequence[int],
        since: datetime | None,
        until: datetime | None,
        *,
        everything: bool,
    ) -> list[_PredictionColumns]:
        query = (
            select(*_COLUMNS)
            .join(PredictionRow, PredictionRow.id == PredictionLabelRow.prediction_id)
            .join(IssueRow, IssueRow.id == PredictionRow.issue_id)
            .where(PredictionRow.issue_id.in_(issue_ids), *_when(since, until))
            .order_by(IssueRow.number.desc(), PredictionRow.at, PredictionRow.id)
        )
        if not everything:
            acted = PredictionLabelRow.action.in_(("set", "suggested"))
            query = query.where(or_(acted, PredictionLabelRow.drawn.is_not(None)))
        return [_PredictionColumns._make(row) for row in self._session.execute(query)]

    def _outcomes(
        self,
        rows: Iterable[_PredictionColumns],
        renames: dict[str, str],
        patience: ImplicitConsent | None,
    ) -> Iterator[LabelOutcome]:
        chosen: dict[tuple[int, str], tuple[_PredictionColumns, str]] = {}
        for row in rows:
            name = renames.get(name_key(row.label), row.label)
            key = row.number, name_key(name)
            if key not in chosen or (_acted(row) and not _acted(chosen[key][0])):
                chosen[key] = row, name
        ids = {columns.issue_id for columns, _ in chosen.values()}
        present, (acts, _) = targets_of(self._session, ids), acts_of(self._session, ids)
        for (_, folded), (row, name) in sorted(chosen.items(), key=_by_number_and_label):
            history = acts.get(row.issue_id, [])
            yield _outcome(row, name, folded, present.get(row.issue_id, {}), history, patience)


def _when(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    bounds = []
    if since is not None:
        bounds.append(PredictionRow.at >= since)
    if until is not None:
        bounds.append(PredictionRow.at < until)
    return bounds


def _acted(columns: _PredictionColumns) -> bool:
    return columns.action in {"set", "suggested"}


def _by_number_and_label(item: tuple[tuple[int, str], object]) -> tuple[int, str]:
    (number, key), _ = item
    return -number, key


def _outcome(
    columns: _PredictionColumns,
    name: str,
    key: str,
    present: Iterable[str],
    acts: Sequence[Act],
    patience: ImplicitConsent | None,
) -> LabelOutcome:
    action = columns.action or "none"
    answer, answered_at = answer_to(key, action, present, acts, patience)
    spoke = columns.at.replace(microsecond=0)  # GitHub's own times know no more
    reviews = [act.at for act in acts if act.actor_kind in PEOPLE and act.at >= spoke]
    return LabelOutcome(
        number=columns.number,
        label=name,
        release=columns.release,
        at=columns.at,
        score=columns.score,
        cut=columns.cut,
        decision=columns.decision,
        action=action,
        drawn=columns.drawn,
        inclusion=columns.inclusion,
        issue_inclusion=columns.issue_inclusion,
        answer=answer,
        answered_at=answered_at,
        reviewed_at=max(reviews, default=None),
    )
