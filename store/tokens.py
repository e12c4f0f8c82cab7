"""Tokens of scripts, found by their digest; the token itself is shown once and kept nowhere.

- `add(digest, name, repository_id, role, now, expires_at) -> StoredToken`
- `find(digest, now) -> StoredToken | None`, `list(repository_id)`, `revoke(token_id) -> bool`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from store.engine.text import storable
from store.records import StoredToken, TokenRole
from store.tables import ApiTokenRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


class Tokens:
    """The gateway to tokens within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, digest: str, name: str, of: tuple[int, TokenRole], now: datetime, expires_at: datetime
    ) -> StoredToken:
        """Keep what a token may do.

        :param of: the repository's id, and the role in it.
        """
        row = ApiTokenRow(
            digest=digest,
            name=storable(name),
            repository_id=of[0],
            role=of[1],
            created_at=now,
            expires_at=expires_at,
        )
        self._session.add(row)
        self._session.flush()
        return _stored(row)

    def find(self, digest: str, now: datetime) -> StoredToken | None:
        """The token of this digest, where it is valid still."""
        query = select(ApiTokenRow).where(
            ApiTokenRow.digest == digest, ApiTokenRow.expires_at > now
        )
        row = self._session.scalars(query).one_or_none()
        return None if row is None else _stored(row)

    def list(self, repository_id: int) -> tuple[StoredToken, ...]:
        """A repository's tokens, expired ones among them, the oldest first."""
        query = select(ApiTokenRow).where(ApiTokenRow.repository_id == repository_id)
        return tuple(map(_stored, self._session.scalars(query.order_by(ApiTokenRow.id))))

    def revoke(self, repository_id: int, token_id: int) -> bool:
        """Let a token open nothing any more; False: there is none."""
        gone = delete(ApiTokenRow).where(
            ApiTokenRow.id == token_id, ApiTokenRow.repository_id == repository_id
        )
        return bool(self._session.scalars(gone.returning(ApiTokenRow.id)).all())


def _stored(row: ApiTokenRow) -> StoredToken:
    return StoredToken(
        row.id, row.name, row.repository_id, row.role, row.created_at, row.expires_at
    )
