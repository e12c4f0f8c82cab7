"""Repositories: found by name without regard to case, followed by GitHub's id when renamed.

- `get_or_create(full_name, now=…, github_id=None) -> Repository`
- `find(full_name, github_id=None) -> Repository | None`, `get(full_name)` or NotStored,
  `by_id(id)`, `all()`, `any_besides(account)`
- `delete(full_name)`: with all that hangs on it (the App was removed)
- `set_cursor(id, name, value)`: where `sync` stopped (ETags, `since`); None forgets
- `set_holdout_key`, `set_report_issue`, `set_no_suggestions_since`, `leave`, `come_back`,
  `set_configuration`, `set_label_list`, `set_configuration_notice`, `set_duplicates`: what the bot
  found out
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, select

from store.engine.text import name_key
from store.engine.upsert import insert_into
from store.errors import NotStored
from store.records import Repository
from store.tables import RepositoryRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session


class Repositories:
    """The gateway to repositories within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_or_create(
        self, full_name: str, *, now: datetime, github_id: int | None = None
    ) -> Repository:
        """The repository of this name, made if need be; a known `github_id` is renamed."""
        row = self._by_github_id(github_id) or self._by_name(full_name)
        if row is not None and _is_another(row, github_id):
            self._step_aside(row)
            row = None
        if row is None:
            row = self._create(full_name, now, github_id)
        if row.github_id is None:
            row.github_id = github_id
        if row.full_name != full_name and (github_id is None or row.github_id == github_id):
            self._rename(row, full_name)
        self._session.flush()
        return _record(row)

    def find(self, full_name: str, *, github_id: int | None = None) -> Repository | None:
        """The repository of this name (any case), or None.

        :param github_id: where GitHub told it: then whatever this is called now is found, and
            another that has the name by now is not.
        """
        # By GitHub's id first: a name may be another's by now. What was imported has no id yet.
        row = self._by_github_id(github_id) or self._by_name(full_name)
        return None if row is None or _is_another(row, github_id) else _record(row)

    def get(self, full_name: str) -> Repository:
        """The repository of this name.

        :raises NotStored: it was never imported or synced.
        """
        repository = self.find(full_name)
        if repository is None:
            raise NotStored("repository", full_name, f"issue-tagger sync {full_name} brings it in")
        return repository

    def by_id(self, repository_id: int, *, to_change: bool = False) -> Repository:
        """The repository under its id here, as it is now.

        :param to_change: keep others from changing it until this unit of work ends.
        :raises NotStored: it is gone.
        """
        return _record(self._one(repository_id, locked=to_change))

    def all(self) -> tuple[Repository, ...]:
        """Every repository, by name."""
        rows = self._session.scalars(select(RepositoryRow).order_by(RepositoryRow.name_key))
        return tuple(_record(row) for row in rows)

    def any_besides(self, account: str) -> bool:
        """Whether there is a repository that is not in this account (folded)."""
        others = ~RepositoryRow.name_key.startswith(f"{account}/", autoescape=True)
        return self._session.scalars(select(exists().where(others))).one()

    def delete(self, full_name: str) -> bool:
        """Forget a repository with all that hangs on it; False: it was not there."""
        row = self._by_name(full_name)
        if row is None:
            return False
        self._session.delete(row)
        self._session.flush()
        return True

    def set_cursor(self, repository_id: int, name: str, value: Any) -> None:
        """Keep where a sync stopped; `value` is JSON, None forgets."""
        row = self._one(repository_id, locked=True)
        row.cursors = _with(row.cursors, name, value)

    def set_holdout_key(self, repository_id: int, holdout_key: str) -> None:
        """Keep by what issues are drawn for the gate."""
        self._one(repository_id, locked=True).holdout_key = holdout_key

    def set_report_issue(self, repository_id: int, number: int) -> None:
        """Keep which issue shows the report; `BEING_MADE` while one is being made."""
        self._one(repository_id, locked=True).report_issue = number

    def set_no_suggestions_since(self, repository_id: int, at: datetime) -> None:
        """Keep when GitHub was found to have no label suggestions in this repository."""
        self._one(repository_id, locked=True).no_suggestions_since = at

    def leave(self, repository_id: int, because: str, now: datetime) -> None:
        """Keep that the bot may not act in the repository from now on."""
        row = self._one(repository_id, locked=True)
        row.left_at, row.left_because = now, because

    def come_back(self, repository_id: int) -> None:
        """Keep that the bot may act in the repository again."""
        row = self._one(repository_id, locked=True)
        row.left_at = row.left_because = None

    def set_configuration(
        self,
        repository_id: int,
        configuration: Mapping[str, Any] | None,
        intake_rules: Mapping[str, Any] | None,
    ) -> None:
        """Keep the configuration as last read, and what intake goes by; None forgets."""
        row = self._one(repository_id, locked=True)
        row.configuration = _json(configuration)
        row.intake_rules = _json(intake_rules)

    def set_label_list(self, repository_id: int, labels: Mapping[str, Any]) -> None:
        """Keep the labels as last listed."""
        self._one(repository_id, locked=True).label_list = dict(labels)

    def set_configuration_notice(self, repository_id: int, notice: Mapping[str, Any]) -> None:
        """Keep what the bot shows on GitHub about the configuration file."""
        self._one(repository_id, locked=True).configuration_notice = dict(notice)

    def set_duplicates(self, repository_id: int, measured: Mapping[str, Any]) -> None:
        """Keep from which likeness on a duplicate is spoken of here, as measured."""
        self._one(repository_id, locked=True).duplicates = dict(measured)

    def _by_name(self, full_name: str) -> RepositoryRow | None:
        return self._session.scalars(_named(), {"key": name_key(full_name)}).one_or_none()

    def _by_github_id(self, github_id: int | None) -> RepositoryRow | None:
        if github_id is None:
            return None
        return self._session.scalars(_on_github(), {"on_github": github_id}).one_or_none()

    def _create(self, full_name: str, now: datetime, github_id: int | None) -> RepositoryRow:
        row: dict[str, Any] = {
            "full_name": full_name,
            "name_key": name_key(full_name),
            "github_id": github_id,
            "created_at": now,
            "cursors": {},
        }
        # Two workers may meet a new repository at once: the second takes the first's row.
        self._session.execute(
            insert_into(self._session, RepositoryRow).on_conflict_do_nothing(), [row]
        )
        return self._session.scalars(
            select(RepositoryRow).where(RepositoryRow.name_key == name_key(full_name))
        ).one()

    def _rename(self, row: RepositoryRow, full_name: str) -> None:
        holder = self._by_name(full_name)
        if holder is not None and holder is not row:
            self._step_aside(holder)
        row.full_name, row.name_key = full_name, name_key(full_name)

    def _step_aside(self, holder: RepositoryRow) -> None:
        """GitHub gave the name away; its former holder keeps its rows under its id."""
        stale = f"{holder.full_name}#{holder.id}"
        holder.full_name, holder.name_key = stale, name_key(stale)
        self._session.flush()

    def _one(self, repository_id: int, *, locked: bool) -> RepositoryRow:
        query = _under_id(locked=locked)
        row = self._session.scalars(query, {"row": repository_id}).one_or_none()
        if row is None:
            raise NotStored("repository with id", repository_id)
        return row


@cache
def _named() -> Select[RepositoryRow]:
    return select(RepositoryRow).where(RepositoryRow.name_key == bindparam("key"))


@cache
def _on_github() -> Select[RepositoryRow]:
    return select(RepositoryRow).where(RepositoryRow.github_id == bindparam("on_github"))


@cache
def _under_id(*, locked: bool) -> Select[RepositoryRow]:
    query = select(RepositoryRow).where(RepositoryRow.id == bindparam("row"))
    query = query.with_for_update(key_share=True) if locked else query
    return query.execution_options(populate_existing=True)


def _is_another(row: RepositoryRow, github_id: int | None) -> bool:
    return github_id is not None and row.github_id not in {None, github_id}


def _with(cursors: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    rest = {key: old for key, old in cursors.items() if key != name}
    return rest if value is None else {**rest, name: value}


def _json(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if document is None else dict(document)


def _record(row: RepositoryRow) -> Repository:
    return Repository(
        id=row.id,
        full_name=row.full_name,
        github_id=row.github_id,
        created_at=row.created_at,
        cursors=dict(row.cursors),
        holdout_key=row.holdout_key,
        report_issue=row.report_issue,
        no_suggestions_since=row.no_suggestions_since,
        left_at=row.left_at,
        left_because=row.left_because,
        configuration=row.configuration,
        intake_rules=row.intake_rules,
        label_list=row.label_list,
        configuration_notice=row.configuration_notice,
        duplicates=row.duplicates,
    )
