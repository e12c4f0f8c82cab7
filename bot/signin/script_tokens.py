"""Tokens for scripts: made by a command, shown once, kept as a digest, good for one repository."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from bot.signin.roles import Role
from bot.signin.viewers import TokenViewer

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.github.access import Access
    from store.database import Store
    from store.records import StoredToken, TokenRole

PREFIX = "itag_"
"""By which people and secret scanners know one."""
_FORM = re.compile(r"itag_[A-Za-z0-9_-]{43}")


def issue(
    store: Store, repository: str, name: str, role: TokenRole, now: datetime, lasts: timedelta
) -> tuple[str, StoredToken]:
    """A new token and what it may do.

    :raises NotStored: the repository was never imported or synced.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    with store.begin() as work:
        repository_id = work.repositories.get(repository).id
        stored = work.tokens.add(digest(token), name, (repository_id, role), now, now + lasts)
    return token, stored


def viewer_of(store: Store, token: str, now: datetime, access: Access | None) -> TokenViewer | None:
    """Whom the token lets in; None: it opens nothing."""
    if not _FORM.fullmatch(token):
        return None
    with store.read() as work:
        stored = work.tokens.find(digest(token), now)
        if stored is None:
            return None
        repository = work.repositories.by_id(stored.repository_id)
    allowed = Role.ADMIN if stored.role == "admin" else Role.TRIAGE
    return TokenViewer(stored.name, repository.full_name, allowed, access)


def digest(token: str) -> str:
    """Under which a token is kept: it has 256 bits of chance, so one pass of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
