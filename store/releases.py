"""Releases of a repository: staged, gated, promoted, rolled back.

- `add(repository_id, record, state="staged") -> StoredRelease`
- `promote(repository_id, release_id, now, reason="")`, `rollback(repository_id, now)`
- `active(repository_id, target) -> StoredRelease | None`, `served(repository_id, target)`,
  `get(repository_id, release_id)`, `list(repository_id)`: the newest first

Issues and pull requests each have a release that serves. Promotions and rollbacks are kept as
history. Read as a stack (a promotion puts on top, a rollback takes off) it tells which release a
rollback returns to, however often it is called.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from store.errors import NotStored
from store.records import ReleaseProvenance, StoredRelease
from store.tables import PromotionRow, ReleaseRow, RepositoryRow
from tagger.monitoring.gate import GateDecision

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from store.records import PromotionKind, ReleaseRecord, ReleaseState, TargetKind


class Releases:
    """The gateway to releases within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, repository_id: int, record: ReleaseRecord, *, state: ReleaseState = "staged"
    ) -> StoredRelease:
        """Keep a trained release; the same id again updates where and what it is."""
        row = self._session.get(ReleaseRow, (repository_id, record.id))
        if row is None:
            row = ReleaseRow(
                repository_id=repository_id, id=record.id, state=state, target=record.target
            )
            self._session.add(row)
        row.created_at = record.created_at
        row.location = record.location
        row.digest = record.digest
        row.manifest = dict(record.manifest)
        row.gate = None if record.gate is None else record.gate.to_json()
        row.provenance = record.provenance.to_json()
        self._session.flush()
        return _stored(row)

    def promote(
        self, repository_id: int, release_id: str, now: datetime, *, reason: str = ""
    ) -> StoredRelease:
        """Let this release serve; promoting the one that serves changes nothing.

        :raises NotStored: there is no such release.
        """
        self._lock(repository_id)
        row = self._row(repository_id, release_id)
        if row.state != "active":
            self._serve(row, "promote", now, reason)
        return _stored(row)

    def rollback(
        self,
        repository_id: int,
        now: datetime,
        *,
        reason: str = "",
        target: TargetKind = "issues",
    ) -> StoredRelease:
        """Let the release serve that served before the present one; returns it.

        :raises NotStored: none served before.
        """
        self._lock(repository_id)
        served = _stack(self._history(repository_id, target))
        if len(served) < 2:
            raise NotStored(
                "earlier release",
                "to roll back to",
                "issue-tagger releases lists them, promote chooses one",
            )
        row = self._row(repository_id, served[-2])
        self._serve(row, "rollback", now, reason)
        return _stored(row)

    def active(self, repository_id: int, target: TargetKind = "issues") -> StoredRelease | None:
        """The release that serves, or None."""
        row = self._active_row(repository_id, target)
        return None if row is None else _stored(row)

    def active_of(self, repository_ids: Collection[int]) -> dict[int, str]:
        """Ids of the releases that serve these repositories' issues; those without are left out."""
        query = select(ReleaseRow.repository_id, ReleaseRow.id).where(
            ReleaseRow.repository_id.in_(repository_ids),
            ReleaseRow.state == "active",
            ReleaseRow.target == "issues",
        )
        return {repository_id: name for repository_id, name in self._session.execute(query)}  # noqa: C416 - rows are no tuples

    def active_digest(
        self, repository_id: int, target: TargetKind = "issues"
    ) -> tuple[str, str] | None:
        """Id and digest of the release that serves: all that it takes to see that it is the same.

        Its manifest and what it has learned from are long, and this is asked for every issue.
        """
        wanted = {"repository": repository_id, "target": target}
        row = self._session.execute(_digests(), wanted).one_or_none()
        return None if row is None else (row[0], row[1])

    def served(
        self, repository_id: int, target: TargetKind = "issues"
    ) -> tuple[StoredRelease, ...]:
        """What a rollback returns to, one after the other; the release that serves comes first."""
        stack = _stack(self._history(repository_id, target))
        return tuple(
            _stored(self._row(repository_id, release_id)) for release_id in reversed(stack)
        )

    def get(self, repository_id: int, release_id: str) -> StoredRelease:
        """The release of this id.

        :raises NotStored: there is no such release.
        """
        return _stored(self._row(repository_id, release_id))

    def list(self, repository_id: int) -> tuple[StoredRelease, ...]:
        """Every release of the repository, the newest first."""
        query = select(ReleaseRow).where(ReleaseRow.repository_id == repository_id)
        newest = query.order_by(ReleaseRow.created_at.desc(), ReleaseRow.id.desc())
        return tuple(_stored(row) for row in self._session.scalars(newest))

    def _serve(self, row: ReleaseRow, kind: PromotionKind, now: datetime, reason: str) -> None:
        before = self._active_row(row.repository_id, row.target)
        if before is not None:
            before.state = "retired"
            self._session.flush()  # first: a unique index allows one active release
        row.state = "active"
        promotion = PromotionRow(
            repository_id=row.repository_id, release_id=row.id, kind=kind, at=now, reason=reason
        )
        self._session.add(promotion)
        self._session.flush()

    def _lock(self, repository_id: int) -> None:
        """Two promotions of one repository go one after the other."""
        query = select(RepositoryRow.id).where(RepositoryRow.id == repository_id)
        self._session.execute(query.with_for_update(key_share=True))

    def _row(self, repository_id: int, release_id: str) -> ReleaseRow:
        row = self._session.get(ReleaseRow, (repository_id, release_id), populate_existing=True)
        if row is None:
            raise NotStored("release", release_id, "issue-tagger releases lists them")
        return row

    def _active_row(self, repository_id: int, target: TargetKind) -> ReleaseRow | None:
        query = select(ReleaseRow).where(
            ReleaseRow.repository_id == repository_id,
            ReleaseRow.state == "active",
            ReleaseRow.target == target,
        )
        return self._session.scalars(query).one_or_none()

    def _history(self, repository_id: int, target: TargetKind) -> Sequence[tuple[str, str]]:
        of_target = select(ReleaseRow.id).where(
            ReleaseRow.repository_id == repository_id, ReleaseRow.target == target
        )
        query = select(PromotionRow.kind, PromotionRow.release_id).where(
            PromotionRow.repository_id == repository_id, PromotionRow.release_id.in_(of_target)
        )
        rows = self._session.execute(query.order_by(PromotionRow.id))
        return [(kind, release_id) for kind, release_id in rows]


def _stack(history: Iterable[tuple[str, str]]) -> list[str]:
    """The releases that served and were not rolled back, the present one last."""
    stack: list[str] = []
    for kind, release_id in history:
        if kind == "promote":
            stack.append(release_id)
        else:
            stack.pop()
    return stack


@cache
def _digests() -> Select[str, str]:
    return select(ReleaseRow.id, ReleaseRow.digest).where(
        ReleaseRow.repository_id == bindparam("repository"),
        ReleaseRow.state == "active",
        ReleaseRow.target == bindparam("target"),
    )


def _stored(row: ReleaseRow) -> StoredRelease:
    return StoredRelease(
        repository_id=row.repository_id,
        id=row.id,
        created_at=row.created_at,
        location=row.location,
        digest=row.digest,
        state=row.state,
        manifest=dict(row.manifest),
        gate=None if row.gate is None else GateDecision.from_json(row.gate),
        provenance=ReleaseProvenance.from_json(row.provenance or {}),
        target=row.target,
    )
