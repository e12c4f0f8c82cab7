"""What the databases' own errors mean, said in our words."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.errors import (
    SchemaOutdated,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY = (StoreBusy, "is locked by another writer; try again")
_FULL = (StoreFull, "has no space left on its disk; free some and try again")
_GONE = (
    StoreUnreachable,
    "cannot be reached; check that it runs, and host, database, user and password in the URL",
)
_READ_ONLY = (StoreReadOnly, "may only be read here; check the file's and folder's permissions")
_DAMAGED = (StoreDamaged, "is not an intact database; restore it from a backup")
_OUTDATED = (
    SchemaOutdated,
    "has no or older tables; bring them up to date with Store.migrate(), which issue-tagger "
    "does when it starts",
)

_Meaning = tuple[type[StoreError], str]

_SQLITE: dict[int, _Meaning] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _GONE,
    sqlite3.SQLITE_IOERR: _GONE,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html, by code or by class
_POSTGRESQL: dict[str, _Meaning] = {
    "08": _GONE,
    "25006": _READ_ONLY,
    "40": _BUSY,
    "42P01": _OUTDATED,
    "42703": _OUTDATED,
    "53100": _FULL,
    "53300": (StoreUnreachable, "has too many clients; lower the number of workers"),
    "55P03": _BUSY,
    "57P": _GONE,
}


@contextmanager
def in_our_words(shown_url: str) -> Iterator[None]:
    """Turn the driver's errors into `StoreError`s that say which database and what to do."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy(
            f"all connections to {shown_url} are in use; end units of work sooner, or try again"
        ) from error
    except DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        kind, words = meaning
        raise kind(f"the database {shown_url} {words} ({_first_line(error)})") from error


def _meaning(error: DBAPIError) -> _Meaning | None:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # Errors of the driver itself carry no code; the low byte is the family of a code.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_ERROR and "no such" in str(cause):
            return _OUTDATED
        return _SQLITE.get(code)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # psycopg gives no code where there is no server to give one.
        return _GONE if error.connection_invalidated or "connect" in str(cause) else None
    return next(
        (_POSTGRESQL[key] for key in (state, state[:3], state[:2]) if key in _POSTGRESQL), None
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
