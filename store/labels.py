"""Labels of a repository, and the history of who set or removed which label on which issue.

- `upsert(repository_id, records, now=…)`, `list(repository_id, deleted=False)`,
  `rename(repository_id, old, new)`, `delete(repository_id, name, now=…)`
- `renames(repository_id) -> dict[str, str]`: former names, folded, and present ones
- `record_events(repository_id, events) -> int`: how many were new; a repeat changes nothing
- `history(repository_id, number) -> tuple[LabelEvent, …]`
- `newest_event()`, `changed_since(repository_id, event)`: what was recorded after an act
- `set_by_people(repository_id, number)`, `removed_by_people(…)`: their last act on each label;
  `taken_off(…)`: what the bot had set and anybody took off; `taken_away(issue_id)`: the last two
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, exists, func, null, select, update
from sqlalchemy.orm import aliased

from store.engine.text import name_key, storable
from store.engine.upsert import chunks, insert_into
from store.errors import NotStored
from store.issue_history import acts_of, field_targets, labels_beside_types
from store.provenance import Act, last_by_people, taken_off
from store.records import LabelEvent, LabelRecord, StoredLabel
from store.tables import (
    DecisionRow,
    IssueLabelRow,
    IssueRow,
    LabelEventRow,
    LabelRow,
    RepositoryRow,
    WriteRow,
)
from store.tombstones import Tombstones

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from store.records import Action

    _Named = type[IssueLabelRow] | type[LabelEventRow] | type[WriteRow]


class Labels:
    """The gateway to labels and their history within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert(
        self,
        repository_id: int,
        records: Iterable[LabelRecord],
        *,
        now: datetime,
        complete: bool = False,
    ) -> int:
        """Store labels as GitHub lists them; returns how many are new or changed.

        :param complete: the records are all of the repository's labels, others were deleted.
        """
        self._lock(repository_id)
        wanted = {name_key(record.name): record for record in records}
        rows = {row.name_key: row for row in self._rows(repository_id)}
        changed = 0
        for key, record in wanted.items():
            row = rows.get(key) or self._new(repository_id, key)
            changed += _bring_up_to_date(row, record)
        for key, row in rows.items():
            if complete and key not in wanted and row.deleted_at is None:
                row.deleted_at = now
                changed += 1
        self._session.flush()
        return changed

    def list(self, repository_id: int, *, deleted: bool = False) -> tuple[StoredLabel, ...]:
        """The repository's labels by name; `deleted` adds those that GitHub no longer has."""
        rows = self._rows(repository_id)
        return tuple(_label(row) for row in rows if deleted or row.deleted_at is None)

    def rename(self, repository_id: int, old: str, new: str) -> None:
        """Follow a rename: labels on issues, history and writes go by the new name from now on.

        A name that is not known yet is stored; a `new` that exists already takes over.
        """
        self._lock(repository_id)
        row = self._row(repository_id, old) or self._new(repository_id, name_key(old), name=old)
        taken = self._row(repository_id, new)
        if taken is not None and taken is not row:
            taken.former_names = [*taken.former_names, *row.former_names, row.name]
            taken.name, taken.deleted_at = storable(new), None
            self._session.delete(row)
        else:
            row.former_names = [*row.former_names, row.name]
            row.name, row.name_key, row.deleted_at = storable(new), name_key(new), None
        self._session.flush()
        for table in (IssueLabelRow, LabelEventRow, WriteRow):
            self._rename_in(table, repository_id, old, new)
        self._session.execute(
            update(DecisionRow)
            .where(
                DecisionRow.repository_id == repository_id, DecisionRow.name_key == name_key(old)
            )
            .values(name=storable(new), name_key=name_key(new))
            .execution_options(synchronize_session=False)
        )

    def delete(self, repository_id: int, name: str, *, now: datetime) -> bool:
        """Mark a label as deleted and take it off every issue; False: it was not there.

        History keeps no act for this: nobody judged the issues.
        """
        row = self._row(repository_id, name)
        if row is None or row.deleted_at is not None:
            return False
        row.deleted_at = now
        self._session.flush()
        self._session.execute(
            delete(IssueLabelRow)
            .where(
                IssueLabelRow.name_key == name_key(name),
                IssueLabelRow.issue_id.in_(_issue_ids(repository_id)),
            )
            .execution_options(synchronize_session=False)
        )
        return True

    def renames(self, repository_id: int) -> dict[str, str]:
        """Folded former name → present name, of names that no label has today.

        However many names lie between; names that lead to no label of today are left out.
        """
        rows = self._rows(repository_id)
        present = {row.name_key: row.name for row in rows if row.deleted_at is None}
        # Those of today last: where two labels once had the same name, theirs it is.
        by_life = sorted(rows, key=lambda row: row.deleted_at is None)
        later = {name_key(old): row.name_key for row in by_life for old in row.former_names}
        ends = {old: _end_of(old, later, present) for old in later if old not in present}
        return {old: present[end] for old, end in ends.items() if end is not None}

    def record_events(self, repository_id: int, events: Iterable[LabelEvent]) -> int:
        """Add acts to the history; returns how many it did not hold yet.

        Acts on a label's former name are recorded under its present one. Those on an issue that
        was deleted (`store.tombstones`) are left out.

        :raises NotStored: an event of an issue that is not stored.
        """
        renames = self.renames(repository_id)
        return sum(self._record_chunk(repository_id, chunk, renames) for chunk in chunks(events))

    def history(self, repository_id: int, number: int) -> tuple[LabelEvent, ...]:
        """Every recorded act on the issue's labels, the oldest first."""
        query = (
            select(LabelEventRow)
            .join(IssueRow, IssueRow.id == LabelEventRow.issue_id)
            .where(IssueRow.repository_id == repository_id, IssueRow.number == number)
            .order_by(LabelEventRow.at, LabelEventRow.id)
        )
        return tuple(_event(number, row) for row in self._session.scalars(query))

    def acts(self, repository_id: int, numbers: Collection[int]) -> dict[int, tuple[Act, ...]]:
        """The label histories of several issues, each in the order in which it happened."""
        query = select(IssueRow.number, IssueRow.id).where(
            IssueRow.repository_id == repository_id, IssueRow.number.in_(numbers)
        )
        ids = {issue_id: number for number, issue_id in self._session.execute(query)}
        acts, _ = acts_of(self._session, ids)
        return {ids[issue_id]: tuple(history) for issue_id, history in acts.items()}

    def beside_types(self, repository_id: int) -> dict[str, dict[str, int]]:
        """Folded label → folded type target → on how many issues people gave both."""
        return labels_beside_types(self._session, repository_id)

    def field_values(self, repository_id: int) -> tuple[str, ...]:
        """Targets of the values of fields that issues have now."""
        return tuple(sorted(field_targets(self._session, repository_id)))

    def newest_event(self) -> int:
        """Which act was recorded last, of all repositories'; 0: none was."""
        return self._session.scalars(select(func.max(LabelEventRow.id))).one() or 0

    def newest_event_before(self, moment: datetime) -> int:
        """The last act that was recorded before any that happened at this time or later."""
        query = select(func.min(LabelEventRow.id)).where(LabelEventRow.at >= moment)
        first = self._session.scalars(query).one()
        return self.newest_event() if first is None else first - 1

    def changed_since(self, repository_id: int, event: int) -> tuple[dict[int, int], int]:
        """Issues of which anybody but the bot said something after this act, and the newest act.

        What the bot itself set says nothing before somebody answers it.

        :returns: number → its newest act; and the newest of all, or `event` where there is none.
        """
        rows = self._session.execute(_changed(), {"event": event, "repository": repository_id})
        acts = [(number, newest, of_others) for number, newest, of_others in rows]
        changed = {number: of_others for number, _, of_others in acts if of_others is not None}
        return changed, max([event, *(newest for _, newest, _ in acts)])

    def set_by_people(self, repository_id: int, number: int) -> frozenset[str]:
        """Labels whose last act by a person (or by nobody knows whom) was to set them."""
        return self._by_people(repository_id, number, "added")

    def removed_by_people(self, repository_id: int, number: int) -> frozenset[str]:
        """Labels whose last act by a person was to take them off or to dismiss them."""
        return self._by_people(repository_id, number, "removed")

    def taken_away(self, issue_id: int) -> tuple[frozenset[str], frozenset[str]]:
        """What people took off or dismissed last, and what the bot had set and anybody took off."""
        acts, names = acts_of(self._session, [issue_id])
        issue_acts = acts.get(issue_id, ())
        removed = [key for key, act in last_by_people(issue_acts).items() if act == "removed"]
        return (
            frozenset(names[key] for key in removed),
            frozenset(names[key] for key in taken_off(issue_acts)),
        )

    def taken_off(self, repository_id: int, number: int) -> frozenset[str]:
        """Labels that the bot had set, and that anybody else took off last."""
        issue_id = self._ids(repository_id, [number])[number]
        acts, names = acts_of(self._session, [issue_id])
        return frozenset(names[key] for key in taken_off(acts.get(issue_id, ())))

    def _by_people(self, repository_id: int, number: int, action: Action) -> frozenset[str]:
        issue_id = self._ids(repository_id, [number])[number]
        acts, names = acts_of(self._session, [issue_id])
        last = last_by_people(acts.get(issue_id, ()))
        return frozenset(names[key] for key, act in last.items() if act == action)

    def _record_chunk(
        self, repository_id: int, events: Sequence[LabelEvent], renames: dict[str, str]
    ) -> int:
        gone = self._deleted(repository_id, {event.number for event in events})
        events = [event for event in events if event.number not in gone]
        if not events:
            return 0
        ids = self._ids(repository_id, {event.number for event in events})
        rows = [
            _event_row(ids[event.number], event, renames.get(name_key(event.label), event.label))
            for event in events
        ]
        statement = insert_into(self._session, LabelEventRow).on_conflict_do_nothing()
        made = self._session.execute(statement.returning(LabelEventRow.id), rows)
        return len(made.all())

    def _deleted(self, repository_id: int, numbers: Collection[int]) -> frozenset[int]:
        buried = Tombstones(self._session).of_numbers(repository_id, numbers)
        query = select(IssueRow.number).where(
            IssueRow.repository_id == repository_id, IssueRow.number.in_(buried)
        )
        return buried - frozenset(self._session.scalars(query)) if buried else buried

    def _ids(self, repository_id: int, numbers: Iterable[int]) -> dict[int, int]:
        wanted = set(numbers)
        query = select(IssueRow.number, IssueRow.id).where(
            IssueRow.repository_id == repository_id, IssueRow.number.in_(wanted)
        )
        ids = {number: issue_id for number, issue_id in self._session.execute(query)}  # noqa: C416 - rows are no tuples
        missing = sorted(wanted - set(ids))
        if missing:
            shown = ", ".join(f"#{number}" for number in missing[:10])
            raise NotStored("issue", shown, "store the issue before its label history")
        return ids

    def _rename_in(self, table: _Named, repository_id: int, old: str, new: str) -> None:
        """Change the name in every row of the repository, dropping what is there twice then."""
        row_of_label = (
            table.name_key == name_key(old),
            table.issue_id.in_(_issue_ids(repository_id)),
        )
        if name_key(old) != name_key(new):
            twin = aliased(table)
            same = [getattr(twin, name) == getattr(table, name) for name in _TWINS[table]]
            there = exists().where(twin.name_key == name_key(new), *same)
            self._session.execute(
                delete(table)
                .where(*row_of_label, there)
                .execution_options(synchronize_session=False)
            )
        self._session.execute(
            update(table)
            .where(*row_of_label)
            .values(name=new, name_key=name_key(new))
            .execution_options(synchronize_session=False)
        )

    def _lock(self, repository_id: int) -> None:
        """Two changes of one repository's label list go one after the other."""
        query = select(RepositoryRow.id).where(RepositoryRow.id == repository_id)
        self._session.execute(query.with_for_update(key_share=True))

    def _rows(self, repository_id: int) -> Sequence[LabelRow]:
        rows = self._session.scalars(_of_repository(), {"repository": repository_id})
        return sorted(rows, key=lambda row: row.name_key)

    def _row(self, repository_id: int, name: str) -> LabelRow | None:
        query = select(LabelRow).where(
            LabelRow.repository_id == repository_id, LabelRow.name_key == name_key(name)
        )
        return self._session.scalars(query).one_or_none()

    def _new(self, repository_id: int, key: str, name: str = "") -> LabelRow:
        row = LabelRow(
            repository_id=repository_id,
            name=storable(name),
            name_key=key,
            description="",
            color="",
            former_names=[],
        )
        self._session.add(row)
        return row


@cache
def _of_repository() -> Select[LabelRow]:
    return select(LabelRow).where(LabelRow.repository_id == bindparam("repository"))


@cache
def _changed() -> Select[int, int, int | None]:
    set_by_itself = (LabelEventRow.actor_kind == "self") & (LabelEventRow.action == "added")
    of_others = case((set_by_itself, null()), else_=LabelEventRow.id)
    newest = select(IssueRow.number, func.max(LabelEventRow.id), func.max(of_others))
    return (
        newest.join(IssueRow, IssueRow.id == LabelEventRow.issue_id)
        .where(
            LabelEventRow.id > bindparam("event"),
            IssueRow.repository_id == bindparam("repository"),
        )
        .group_by(IssueRow.number)
    )


_TWINS: dict[Any, tuple[str, ...]] = {
    IssueLabelRow: ("issue_id",),
    LabelEventRow: ("issue_id", "action", "at", "source_key"),
    WriteRow: ("run_id", "issue_id", "form"),
}
"""Beside the name, the columns of each table's unique constraint."""


def _end_of(name: str, later: Mapping[str, str], present: Container[str]) -> str | None:
    """Where the renames that begin here lead; None: to no name in use, or in a circle."""
    ended: set[str] = set()
    while name not in present:
        if name in ended or name not in later:
            return None
        ended.add(name)
        name = later[name]
    return name


def _issue_ids(repository_id: int) -> Any:
    return select(IssueRow.id).where(IssueRow.repository_id == repository_id)


def _bring_up_to_date(row: LabelRow, record: LabelRecord) -> bool:
    wanted = {
        "name": storable(record.name),
        "description": storable(record.description),
        "color": storable(record.color),
        "deleted_at": None,
    }
    different = {name: new for name, new in wanted.items() if getattr(row, name) != new}
    for name, new in different.items():
        setattr(row, name, new)
    return bool(different)


def _label(row: LabelRow) -> StoredLabel:
    return StoredLabel(
        id=row.id,
        name=row.name,
        description=row.description,
        color=row.color,
        deleted_at=row.deleted_at,
        former_names=tuple(row.former_names),
    )


def _event_row(issue_id: int, event: LabelEvent, name: str) -> dict[str, Any]:
    return {
        "issue_id": issue_id,
        "name": name,
        "name_key": name_key(name),
        "action": event.action,
        "actor": event.actor,
        "actor_kind": event.actor_kind,
        "at": event.at,
        "source": event.source,
        "source_key": event.key,
    }


def _event(number: int, row: LabelEventRow) -> LabelEvent:
    return LabelEvent(
        number=number,
        label=row.name,
        action=row.action,
        at=row.at,
        actor=row.actor,
        actor_kind=row.actor_kind,
        source=row.source,
        key=row.source_key,
    )
