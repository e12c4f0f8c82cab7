"""Issues, pull requests and discussions: as filed, as they are now, and as training rows.

- `upsert(repository_id, records) -> UpsertCounts`: in bulk, any number, memory flat
- `find(repository_id, number) -> StoredIssue | None`, `get(…)` or NotStored
- `walk(repository_id, …) -> Iterator[StoredIssue]`: by falling number
- `training_rows(repository_id, …) -> Iterator[TrainingRow]`: by rising number
- `numbers(repository_id)`, `count(repository_id)`
- `set_answer_comment`, `set_suggestion_comment`, `set_opted_out`, `set_opted_in`: the bot's own
- `forget(repository_id, number)`: deleted on GitHub
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from store.decisions import labels_decided_here
from store.engine.text import name_key, storable
from store.engine.upsert import CHUNK, chunks, dialect_of, insert_for
from store.errors import NotStored
from store.issue_history import acts_of, labels_of, targets_of
from store.issue_states import newest_states
from store.provenance import declined, judge
from store.records import IssueRecord, StoredIssue, TrainingRow, UpsertCounts
from store.tables import DecisionRow, IssueLabelRow, IssueRow
from store.tombstones import Tombstones

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session
    from sqlalchemy.sql.dml import ReturningInsert

    from store.provenance import ImplicitConsent
    from store.records import TargetKind


class Issues:
    """The gateway to issues within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert(self, repository_id: int, records: Iterable[IssueRecord]) -> UpsertCounts:
        """Store what is new, change what changed, leave the rest alone.

        What was filed is set once and stays. A record whose `updated_at` is earlier than the
        stored one came late and changes nothing. Of several records of one number the newest
        wins, the last of those that are as new; the first words of a new issue are the oldest's.
        What was deleted (`store.tombstones`) is not stored again.
        """
        counts, tombstones = UpsertCounts(), Tombstones(self._session)
        for chunk in chunks(records):
            rows = newest_states(chunk)
            buried = tombstones.numbers_of(repository_id, rows.values())
            counts += UpsertCounts(unchanged=len(buried))
            alive = {number: row for number, row in rows.items() if number not in buried}
            counts += self._upsert_chunk(repository_id, alive)
        return counts

    def find(self, repository_id: int, number: int) -> StoredIssue | None:
        """The issue of this number, or None."""
        parameters = {"repository": repository_id, "number": number}
        row = self._session.scalars(_numbered(), parameters).one_or_none()
        if row is None:
            return None
        labels = labels_of(self._session, [row.id])
        return _stored(row, tuple(labels.get(row.id, {}).values()))

    def get(self, repository_id: int, number: int) -> StoredIssue:
        """The issue of this number.

        :raises NotStored: it was never imported, synced or delivered.
        """
        issue = self.find(repository_id, number)
        if issue is None:
            raise NotStored("issue", f"#{number}", "import or sync the repository first")
        return issue

    def walk(
        self,
        repository_id: int,
        *,
        created_since: datetime | None = None,
        state: str | None = None,
        every_kind: bool = False,
        limit: int | None = None,
    ) -> Iterator[StoredIssue]:
        """Issues, or what else there is too, by falling number; in chunks: memory stays flat."""
        query = _of(repository_id)
        if not every_kind:
            query = query.where(is_of("issues"))
        if created_since is not None:
            query = query.where(IssueRow.created_at >= created_since)
        if state is not None:
            query = query.where(IssueRow.state == state)
        return self._pages(query, limit)

    def training_rows(
        self,
        repository_id: int,
        *,
        patience: ImplicitConsent | None = None,
        numbers: Collection[int] | None = None,
    ) -> Iterator[TrainingRow]:
        """Every issue and pull request as filed, with what people say of its labels.

        :param patience: counts a bot's label that stood unopposed for so long as confirmed.
        :param numbers: only these, at most some thousands.
        """
        last = 0
        while True:
            query = _of(repository_id).where(IssueRow.number > last).order_by(IssueRow.number)
            if numbers is not None:
                query = query.where(IssueRow.number.in_(numbers))
            rows = self._session.scalars(query.limit(CHUNK)).all()
            if not rows:
                return
            yield from self._training_chunk(rows, patience)
            last = rows[-1].number
            self._let_go()

    def numbers(self, repository_id: int) -> tuple[int, ...]:
        """Numbers of all kinds, rising."""
        query = select(IssueRow.number).where(IssueRow.repository_id == repository_id)
        return tuple(self._session.scalars(query.order_by(IssueRow.number)))

    def newest_numbers(self, repository_id: int, limit: int) -> tuple[int, ...]:
        """Numbers of the newest issues and pull requests, falling."""
        query = select(IssueRow.number).where(IssueRow.repository_id == repository_id)
        return tuple(self._session.scalars(query.order_by(IssueRow.number.desc()).limit(limit)))

    def set_labels(self, repository_id: int, number: int, labels: Iterable[str]) -> None:
        """Let these be the issue's labels: what GitHub answered to a change of them.

        :raises NotStored: the issue is not stored.
        """
        issue = self.get(repository_id, number)
        self._relabel({issue.id: tuple(labels)})

    def of_numbers(self, repository_id: int, numbers: Collection[int]) -> dict[int, StoredIssue]:
        """Issues by number, those that are stored."""
        query = _of(repository_id).where(IssueRow.number.in_(numbers))
        return {issue.number: issue for issue in self._records(query)}

    def label_names(self, repository_id: int) -> tuple[str, ...]:
        """Names of all labels that issues carry, each in one of its spellings."""
        query = select(func.min(IssueLabelRow.name)).join(IssueRow)
        query = query.where(IssueRow.repository_id == repository_id)
        return tuple(self._session.scalars(query.group_by(IssueLabelRow.name_key)))

    def count(self, repository_id: int) -> int:
        """How many issues and pull requests are stored."""
        query = select(func.count()).where(IssueRow.repository_id == repository_id)
        return self._session.scalars(query).one()

    def set_answer_comment(self, issue_id: int, comment_id: int) -> None:
        """Keep which comment answers commands; `BEING_MADE` while one is being made."""
        self._set(issue_id, answer_comment_id=comment_id)

    def set_suggestion_comment(self, issue_id: int, comment_id: int) -> None:
        """Keep which comment suggests labels."""
        self._set(issue_id, suggestion_comment_id=comment_id)

    def set_opted_out(self, issue_id: int, at: datetime) -> None:
        """Keep when a person said that the bot is to leave the issue alone."""
        self._set(issue_id, opted_out_at=at)

    def set_opted_in(self, issue_id: int, at: datetime) -> None:
        """Keep when a person asked the bot to label the issue again."""
        self._set(issue_id, opted_in_at=at)

    def set_paths(self, issue_id: int, paths: Sequence[str]) -> None:
        """Keep which files a pull request changes.

        :raises NotStored: it was forgotten in the meantime.
        """
        self._set(issue_id, paths=[storable(path) for path in paths])

    def without_paths(self, repository_id: int, limit: int) -> tuple[StoredIssue, ...]:
        """The newest labelled pull requests whose changed files nobody has read."""
        labelled = select(IssueLabelRow.issue_id)
        query = _of(repository_id).where(
            IssueRow.is_pull_request, IssueRow.paths.is_(None), IssueRow.id.in_(labelled)
        )
        return tuple(self._pages(query, limit))

    def forget(self, repository_id: int, number: int) -> bool:
        """Delete an issue that GitHub no longer has, with all that hangs on it."""
        gone = delete(IssueRow).where(
            IssueRow.repository_id == repository_id, IssueRow.number == number
        )
        return bool(self._session.scalars(gone.returning(IssueRow.id)).all())

    def discussions(self, repository_id: int) -> frozenset[int]:
        """Numbers of those that are discussions."""
        query = select(IssueRow.number).where(IssueRow.repository_id == repository_id)
        return frozenset(self._session.scalars(query.where(is_of("discussions"))))

    def _set(self, issue_id: int, **columns: datetime | int | list[str]) -> None:
        """:raises NotStored: the issue was forgotten in the meantime."""
        setting = update(IssueRow).where(IssueRow.id == issue_id).values(**columns)
        if not self._session.scalars(setting.returning(IssueRow.id)).all():
            raise NotStored("issue with id", issue_id)

    def _upsert_chunk(self, repository_id: int, records: dict[int, IssueRecord]) -> UpsertCounts:
        records = self._as_decided(repository_id, records)
        known_numbers, different = self._compare(repository_id, records)
        changed = self._change(repository_id, {n: records[n] for n in different})
        new = [record for number, record in records.items() if number not in known_numbers]
        lost = self._insert(repository_id, new)
        counts = UpsertCounts(len(new) - len(lost), changed, len(known_numbers) - changed)
        if lost:  # another process stored these first: they are known by now
            return counts + self._upsert_chunk(repository_id, {row.number: row for row in lost})
        return counts

    def _as_decided(
        self, repository_id: int, records: dict[int, IssueRecord]
    ) -> dict[int, IssueRecord]:
        """The records with the labels that people decided on here and GitHub does not know of."""
        query = select(IssueRow.id, IssueRow.number).where(
            IssueRow.repository_id == repository_id,
            IssueRow.number.in_(records),
            exists().where(DecisionRow.issue_id == IssueRow.id, DecisionRow.place == "here"),
        )
        numbers = {issue_id: number for issue_id, number in self._session.execute(query)}  # noqa: C416 - rows are no tuples
        changed = dict(records)
        for issue_id, decided in labels_decided_here(self._session, numbers).items():
            record = records[numbers[issue_id]]
            kept = [name for name in record.labels if name_key(name) not in decided]
            added = [name for name, is_on in decided.values() if is_on]
            changed[record.number] = replace(record, labels=(*kept, *added))
        return changed

    def _compare(
        self, repository_id: int, records: dict[int, IssueRecord]
    ) -> tuple[set[int], list[int]]:
        """Numbers that are stored, and those of them that differ. Locks nothing: most are equal."""
        parameters = {"repository": repository_id, "numbers": list(records)}
        rows = self._session.scalars(_among(), parameters).all()
        labels = labels_of(self._session, [row.id for row in rows])
        different = [
            row.number
            for row in rows
            if _changes(row, records[row.number], labels.get(row.id, {})) is not None
        ]
        self._let_go()
        return {row.number for row in rows}, different

    def _change(self, repository_id: int, records: dict[int, IssueRecord]) -> int:
        """Bring rows up to date, looking again under a lock; returns how many did differ."""
        if not records:
            return 0
        query = _of(repository_id).where(IssueRow.number.in_(records)).order_by(IssueRow.number)
        rows = self._rows(query.with_for_update())
        labels = labels_of(self._session, [row.id for row in rows])
        relabelled: dict[int, tuple[str, ...]] = {}
        changed = 0
        for row in rows:
            record, present = records[row.number], labels.get(row.id, {})
            changes = _changes(row, record, present)
            if changes is None:
                continue
            changed += 1
            for name, value in changes.items():
                setattr(row, name, value)
            if _distinct(record.labels) != present:
                relabelled[row.id] = record.labels
        self._session.flush()
        self._relabel(relabelled)
        self._let_go()
        return changed

    def _insert(self, repository_id: int, records: list[IssueRecord]) -> list[IssueRecord]:
        """Insert new issues with their labels; returns those that another process inserted."""
        if not records:
            return []
        made = self._session.execute(
            _adding(dialect_of(self._session)),
            [_new_row(repository_id, record) for record in records],
        )
        ids = {number: issue_id for number, issue_id in made}  # noqa: C416 - rows are no tuples
        self._attach({ids[row.number]: row.labels for row in records if row.number in ids})
        return [record for record in records if record.number not in ids]

    def _relabel(self, labels: dict[int, tuple[str, ...]]) -> None:
        if labels:
            self._session.execute(delete(IssueLabelRow).where(IssueLabelRow.issue_id.in_(labels)))
            self._attach(labels)

    def _attach(self, labels: dict[int, tuple[str, ...]]) -> None:
        rows = [
            {"issue_id": issue_id, "name_key": key, "name": name}
            for issue_id, names in labels.items()
            for key, name in _distinct(names).items()
        ]
        if rows:
            self._session.execute(insert(IssueLabelRow), rows)

    def _pages(self, query: Select[IssueRow], limit: int | None) -> Iterator[StoredIssue]:
        last, left = None, limit
        while left is None or left > 0:
            page = query if last is None else query.where(IssueRow.number < last)
            size = CHUNK if left is None else min(CHUNK, left)
            issues = list(self._records(page.order_by(IssueRow.number.desc()).limit(size)))
            yield from issues
            if len(issues) < size:
                return
            last = issues[-1].number
            left = None if left is None else left - len(issues)

    def _records(self, query: Select[IssueRow]) -> Iterator[StoredIssue]:
        rows = self._rows(query)
        labels = labels_of(self._session, [row.id for row in rows])
        records = [_stored(row, tuple(labels.get(row.id, {}).values())) for row in rows]
        return iter(records)

    def _let_go(self) -> None:
        """Free the rows read so far, which keeps memory flat; changes to others are kept."""
        self._session.flush()
        self._session.expunge_all()

    def _rows(self, query: Select[IssueRow]) -> Sequence[IssueRow]:
        return self._session.scalars(query.execution_options(populate_existing=True)).all()

    def _training_chunk(
        self, rows: Iterable[IssueRow], patience: ImplicitConsent | None
    ) -> Iterator[TrainingRow]:
        ids = [row.id for row in rows]
        labels = targets_of(self._session, ids)
        acts, names = acts_of(self._session, ids)
        for row in rows:
            present = labels.get(row.id, {})
            verdict = judge(present, acts.get(row.id, ()), patience)
            yield TrainingRow(
                number=row.number,
                title=row.filed_title,
                body=row.filed_body,
                labels=_in_order(present, verdict.confirmed),
                unconfirmed=_in_order(present, verdict.unconfirmed),
                refused=tuple(sorted(names[key] for key in verdict.refused)),
                is_pull_request=row.is_pull_request,
                author=row.author,
                created_at=row.created_at,
                declined=tuple(sorted(names[key] for key in declined(acts.get(row.id, ())))),
                paths=tuple(row.paths or ()),
                category=row.category,
            )


@cache
def _numbered() -> Select[IssueRow]:
    """One issue; made once, for one delivery asks for it ten times."""
    query = select(IssueRow).where(
        IssueRow.repository_id == bindparam("repository"), IssueRow.number == bindparam("number")
    )
    return query.execution_options(populate_existing=True)


@cache
def _among() -> Select[IssueRow]:
    query = select(IssueRow).where(
        IssueRow.repository_id == bindparam("repository"),
        IssueRow.number.in_(bindparam("numbers", expanding=True)),
    )
    return query.execution_options(populate_existing=True)


@cache
def _adding(dialect: str) -> ReturningInsert[int, int]:
    statement = insert_for(dialect, IssueRow).on_conflict_do_nothing()
    return statement.returning(IssueRow.number, IssueRow.id)


def _of(repository_id: int) -> Select[IssueRow]:
    return select(IssueRow).where(IssueRow.repository_id == repository_id)


def _distinct(names: Iterable[str]) -> dict[str, str]:
    """Folded name to name as written, in the order of names."""
    return {name_key(name): storable(name) for name in sorted(names)}


def _in_order(present: dict[str, str], chosen: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for key, name in present.items() if key in chosen)


def _changes(row: IssueRow, record: IssueRecord, labels: dict[str, str]) -> dict[str, Any] | None:
    """The columns to change (none where only labels differ); None: nothing to do."""
    if record.updated_at and row.updated_at and record.updated_at < row.updated_at:
        return None
    present = {
        "title": storable(record.title),
        "body": storable(record.body),
        "state": record.state,
        "is_pull_request": record.is_pull_request,
        "category": _category(record),
        "github_id": record.github_id or row.github_id,
        "author": record.author or row.author,
        "author_association": record.author_association or row.author_association,
        "updated_at": record.updated_at or row.updated_at,
        # An import tells that an issue is closed, and not always when.
        "closed_at": record.closed_at or (row.closed_at if record.state == row.state else None),
        "type": row.type if record.type is None else storable(record.type),
        "fields": row.fields if record.fields is None else _fields(record),
        "locked": row.locked if record.locked is None else record.locked,
    }
    different = {name: new for name, new in present.items() if getattr(row, name) != new}
    return different if different or _distinct(record.labels) != labels else None


def _fields(record: IssueRecord) -> dict[str, str] | None:
    """None where it has none, so that the few issues with values are found."""
    fields = record.fields or {}
    return {storable(name): storable(value) for name, value in fields.items()} or None


def _new_row(repository_id: int, record: IssueRecord) -> dict[str, Any]:
    filed_title = record.title if record.filed_title is None else record.filed_title
    filed_body = record.body if record.filed_body is None else record.filed_body
    return {
        "repository_id": repository_id,
        "number": record.number,
        "github_id": record.github_id,
        "is_pull_request": record.is_pull_request,
        "category": _category(record),
        "filed_title": filed_title,
        "filed_body": filed_body,
        "title": record.title,
        "body": record.body,
        "state": record.state,
        "author": record.author,
        "author_association": record.author_association,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "closed_at": record.closed_at,
        "type": record.type or "",
        "fields": _fields(record),
        "locked": bool(record.locked),
    }


def _stored(row: IssueRow, labels: tuple[str, ...]) -> StoredIssue:
    return StoredIssue(
        id=row.id,
        repository_id=row.repository_id,
        number=row.number,
        is_pull_request=row.is_pull_request,
        filed_title=row.filed_title,
        filed_body=row.filed_body,
        title=row.title,
        body=row.body,
        labels=labels,
        state=row.state,
        author=row.author,
        author_association=row.author_association,
        created_at=row.created_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
        locked=row.locked,
        type=row.type,
        github_id=row.github_id,
        answer_comment_id=row.answer_comment_id,
        suggestion_comment_id=row.suggestion_comment_id,
        opted_out_at=row.opted_out_at,
        opted_in_at=row.opted_in_at,
        paths=None if row.paths is None else tuple(row.paths),
        fields=row.fields or {},
        category=row.category,
    )


def _category(record: IssueRecord) -> str | None:
    return None if record.category is None else storable(record.category)


def is_of(target: TargetKind) -> ColumnElement[bool]:
    """Whether a row of `issues` is one of this kind."""
    if target == "discussions":
        return IssueRow.category.is_not(None)
    return IssueRow.category.is_(None) & IssueRow.is_pull_request.is_(target == "pull_requests")
