"""Labels and label history of many issues at once: what several gateways read."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, func, select

from store.engine.text import name_key
from store.engine.upsert import chunks
from store.provenance import Act
from store.records.issue_fields import field_target
from store.records.issue_types import PREFIX, type_target
from store.tables import IssueLabelRow, IssueRow, LabelEventRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from store.records import Action, ActorKind, EventSource


PAGE = 1000
"""Issues read at a time, where all of a repository are."""


def labels_of(session: Session, issue_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Labels now on the issues: issue id → folded name → name, by name; those without left out."""
    labels: dict[int, dict[str, str]] = defaultdict(dict)
    for ids in chunks(issue_ids):
        for issue_id, key, name in session.execute(_labels(), {"ids": ids}):
            labels[issue_id][key] = name
    return {
        issue_id: dict(sorted(names.items(), key=lambda item: item[1]))
        for issue_id, names in labels.items()
    }


def targets_of(session: Session, issue_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """As `labels_of`, with each issue's type and fields among them.

    By the names of `store.records.issue_types` and `store.records.issue_fields`.
    """
    ids = list(issue_ids)
    targets: dict[int, dict[str, str]] = defaultdict(dict, labels_of(session, ids))
    for part in chunks(ids):
        for issue_id, name in session.execute(_types(), {"ids": part}):
            target = type_target(name)
            targets[issue_id][name_key(target)] = target
        for issue_id, fields in session.execute(_fields(), {"ids": part}):
            names = [field_target(*pair) for pair in sorted((fields or {}).items())]
            targets[issue_id].update((name_key(name), name) for name in names)
    return dict(targets)


def field_targets(session: Session, repository_id: int) -> Counter[str]:
    """Values of fields that issues of a repository have now, and how many have each."""
    counted: Counter[str] = Counter()
    last = 0
    while True:  # in pages: a cursor held on the server would be left open where a connection dies
        query = (
            select(IssueRow.id, IssueRow.fields)
            .where(
                IssueRow.repository_id == repository_id,
                IssueRow.fields.is_not(None),
                IssueRow.id > last,
            )
            .order_by(IssueRow.id)
            .limit(PAGE)
        )
        rows = session.execute(query).all()
        counted.update(field_target(*pair) for _, fields in rows for pair in (fields or {}).items())
        if len(rows) < PAGE:
            return counted
        last = rows[-1][0]


def labels_beside_types(session: Session, repository_id: int) -> dict[str, dict[str, int]]:
    """Folded label → folded type target → on how many issues they stand together.

    Only types that no bot had a hand in: what a bot set would tie the two by itself.
    """
    together: dict[str, dict[str, int]] = defaultdict(dict)
    rows = session.execute(_together(), {"repository": repository_id})
    for label, issue_type, number in rows:
        target = name_key(type_target(issue_type))
        together[label][target] = together[label].get(target, 0) + number
    return dict(together)


def acts_of(
    session: Session, issue_ids: Iterable[int]
) -> tuple[dict[int, list[Act]], dict[str, str]]:
    """The issues' label histories in the order of events, and folded names as last written."""
    acts: dict[int, list[Act]] = defaultdict(list)
    names: dict[str, str] = {}
    for ids in chunks(issue_ids):
        rows = session.execute(_acts(), {"ids": ids})
        for issue_id, key, name, action, kind, at, source in rows:
            acts[issue_id].append(Act(key, action, kind, at, source))
            names[key] = name
    return acts, names


@cache
def _labels() -> Select[int, str, str]:
    query = select(IssueLabelRow.issue_id, IssueLabelRow.name_key, IssueLabelRow.name)
    return query.where(IssueLabelRow.issue_id.in_(bindparam("ids", expanding=True)))


@cache
def _types() -> Select[int, str]:
    query = select(IssueRow.id, IssueRow.type).where(IssueRow.type != "")
    return query.where(IssueRow.id.in_(bindparam("ids", expanding=True)))


@cache
def _fields() -> Select[int, dict[str, str] | None]:
    query = select(IssueRow.id, IssueRow.fields).where(IssueRow.fields.is_not(None))
    return query.where(IssueRow.id.in_(bindparam("ids", expanding=True)))


@cache
def _together() -> Select[str, str, int]:
    by_bot = exists().where(
        LabelEventRow.issue_id == IssueRow.id,
        LabelEventRow.name_key.startswith(PREFIX, autoescape=True),
        LabelEventRow.actor_kind.in_(("self", "bot")),
    )
    query = (
        select(IssueLabelRow.name_key, IssueRow.type, func.count())
        .join(IssueRow, IssueRow.id == IssueLabelRow.issue_id)
        .where(IssueRow.repository_id == bindparam("repository"), IssueRow.type != "", ~by_bot)
    )
    return query.group_by(IssueLabelRow.name_key, IssueRow.type)


@cache
def _acts() -> Select[int, str, str, Action, ActorKind, datetime, EventSource]:
    query = select(
        LabelEventRow.issue_id,
        LabelEventRow.name_key,
        LabelEventRow.name,
        LabelEventRow.action,
        LabelEventRow.actor_kind,
        LabelEventRow.at,
        LabelEventRow.source,
    )
    of_issues = query.where(LabelEventRow.issue_id.in_(bindparam("ids", expanding=True)))
    return of_issues.order_by(LabelEventRow.at, LabelEventRow.id)
