"""The database: how it is opened, begun, checked and brought up to date.

    store = Store("sqlite:////var/lib/issue-tagger/issues.db")   # opens nothing yet
    store.migrate()
    with store.begin() as work:      # one write transaction, see store.unit_of_work
        work.issues.upsert(...)
    with store.read() as work:       # one consistent view, no writing, blocks nobody
        work.issues.get(...)

SQLite: write-ahead log, every commit on the disk (`synchronous=FULL`), foreign keys on. A writer
takes the write lock at once (`BEGIN IMMEDIATE`), because a reader that becomes a writer may find
that another was faster, and SQLite then fails instead of waiting
(https://sqlite.org/isolation.html). Within a process writers queue for their turn: SQLite polls
for its lock. Those that wait share a commit (`store.engine.group_commit`).
"""

from __future__ import annotations

import json
import threading
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError

from store.engine import schema, sqlite_files
from store.engine.failures import in_our_words
from store.engine.fair_lock import FairLock
from store.engine.group_commit import GroupCommit
from store.engine.urls import SECRETS_IN_QUERY
from store.errors import NestedUnitOfWork, StoreBusy, StoreRefused, StoreUnreachable
from store.unit_of_work import UnitOfWork, unit_of_work, view
from store.vectors import StoredVectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_READING = "store_reading"
_MIGRATING = "store_migrating"
_MIGRATION_LOCK = 0x15_5E_7A_66
"""Any number of our own: PostgreSQL's advisory locks have numbers for names."""


class Store:
    """One database. Thread-safe; making one does no I/O.

    :param url: `sqlite:///relative.db`, `sqlite:////absolute.db` or
        `postgresql+psycopg://user@host/name`.
    :param patience_seconds: how long to wait for another writer's lock.
    :raises StoreRefused: the URL is of another kind.
    """

    def __init__(self, url: str, *, patience_seconds: float = 10.0) -> None:
        self.url = _checked(url)
        self._patience = patience_seconds
        self._turn = FairLock()
        self._commits = GroupCommit(self._turn, self.shown_url)
        self._turn_of: int | None = None
        self._opened: tuple[int, int] | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def shown_url(self) -> str:
        """The URL without its password, for messages and logs."""
        return self.url.difference_update_query(SECRETS_IN_QUERY).render_as_string(
            hide_password=True
        )

    @cached_property
    def vectors(self) -> StoredVectors:
        """A `tagger.encoders.encoder.VectorStore`; each call is a short transaction of its own."""
        return StoredVectors(self.begin, self.read)

    def begin(self, *, urgent: bool = False) -> AbstractContextManager[UnitOfWork]:
        """One write transaction; commits when the block ends, rolls back when it raises.

        Keep it short, and wait for nothing from outside within it.

        :param urgent: before the other writers of this process that wait, where there is only one
            at a time (SQLite).

        :raises NestedUnitOfWork: this thread has one open already (SQLite).
        :raises StoreUnavailable: unreachable, busy or full.
        """
        return self._begin(urgent=urgent)

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """One consistent view of the data; a write in it raises StoreReadOnly."""
        return self._read()

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to revision `to` (making them where there are none), in one transaction.

        Safe to call from many processes at once. "base" takes everything down.

        :raises SchemaTooNew: the database was migrated by a later version of the code.
        """
        if to == "head" and not self.is_sqlite and self.is_current():
            return  # twenty processes that start at once need not wait for each other
        self._make_folder()
        with self._writers_turn(), in_our_words(self.shown_url), self.migrating() as connection:
            if to == "head":
                present = schema.revision_of(connection)
                schema.refuse_newer(present)
                if present == schema.head():
                    return
            schema.move(connection, to)

    def revision(self) -> str | None:
        """The revision of the tables; None where there are none."""
        with in_our_words(self.shown_url), self._reader.connect() as connection:
            return schema.revision_of(connection)

    def is_current(self) -> bool:
        """Whether tables and code are of one age."""
        return self.revision() == schema.head()

    def check_schema(self) -> None:
        """Raise unless tables and code are of one age.

        :raises SchemaOutdated: `migrate` is needed.
        :raises SchemaTooNew: the code is older than the database.
        """
        schema.check(self.revision())

    def ping(self) -> None:
        """Ask the database for an answer.

        :raises StoreUnreachable: it gives none.
        """
        self._follow_file()
        with in_our_words(self.shown_url), self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))

    def server_time(self) -> datetime | None:
        """What time the database server says it is; None for a file, which has no clock."""
        if self.is_sqlite:
            return None
        with in_our_words(self.shown_url), self._reader.connect() as connection:
            moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return moment

    def compact(self, *, rewrite: bool = False) -> None:
        """Let go of what was deleted; outside of a unit of work.

        SQLite: see `sqlite_files.compact`. PostgreSQL, which does it by itself now and then: only
        with `rewrite`, its rows may be overwritten from now on.

        :raises StoreUnavailable: others were busy for too long, no space for it, or no answer.
        """
        with self._writers_turn(), in_our_words(self.shown_url):
            if self.is_sqlite and not sqlite_files.compact(self._engine, rewrite=rewrite):
                raise StoreBusy(
                    f"others were at work in {self.shown_url}: its log still holds what was deleted"
                )
            if not self.is_sqlite and rewrite:
                autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
                with autocommit.connect() as server:
                    server.execute(text("VACUUM"))

    def close(self) -> None:
        """Close every connection; the next use opens new ones. `with Store(url)` closes too."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _engine(self) -> Engine:
        if self.is_sqlite:
            engine = create_engine(
                self.url,
                json_serializer=_as_json,
                hide_parameters=True,
                connect_args={"timeout": self._patience},
            )
            event.listen(engine, "connect", partial(_open_sqlite, patience=self._patience))
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        patience = round(self._patience * 1000)
        return create_engine(
            self.url,
            json_serializer=_as_json,
            hide_parameters=True,  # errors reach logs, and issues' texts must not
            pool_pre_ping=True,  # a restarted server costs a reconnect, not an error
            connect_args={
                "connect_timeout": 10,
                "options": f"-c timezone=UTC -c lock_timeout={patience}",
            },
        )

    @cached_property
    def _reader(self) -> Engine:
        if self.is_sqlite:
            return self._engine.execution_options(**{_READING: True})
        return self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def _follow_file(self) -> None:
        """Leave connections to a file that was deleted or replaced: what goes there is lost.

        :raises StoreUnreachable: there is no file.
        """
        if not self.is_sqlite:
            return
        try:
            status = self._file.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise StoreUnreachable(
                f"there is no database at {self._file}; migrate makes it"
            ) from None
        except OSError:
            return  # opening it says why
        if (identity := (status.st_dev, status.st_ino)) != self._opened:
            self._engine.dispose()
            self._opened = identity

    @contextmanager
    def _begin(self, *, urgent: bool) -> Iterator[UnitOfWork]:
        self._follow_file()
        if not self.is_sqlite:
            with unit_of_work(self._engine, self.shown_url) as work:
                yield work
            return
        with self._turn_to_write(urgent=urgent):
            try:
                with self._commits.member(self._engine) as (group, session):
                    yield UnitOfWork(session)
            finally:
                self._commits.leave(urgent=urgent)
        self._commits.wait(group, lambda: self._turn.acquire(self._patience))

    @contextmanager
    def _read(self) -> Iterator[UnitOfWork]:
        self._follow_file()
        with view(self._reader, self.shown_url) as work:
            yield work

    @contextmanager
    def _writers_turn(self, *, urgent: bool = False) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._turn_to_write(urgent=urgent):
            self._commits.commit()
            yield

    @contextmanager
    def _turn_to_write(self, *, urgent: bool = False) -> Iterator[None]:
        me = threading.get_ident()
        if self._turn_of == me:
            raise NestedUnitOfWork
        if not self._turn.acquire(self._patience, urgent=urgent):
            raise StoreBusy(
                f"another thread has been writing to {self.shown_url} for more than "
                f"{self._patience:g} s; try again"
            )
        self._turn_of = me
        try:
            yield
        finally:
            self._turn_of = None
            self._turn.release()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection on which tables may be rebuilt; no other process migrates meanwhile."""
        engine = self._engine.execution_options(**{_MIGRATING: True})
        with engine.begin() as connection:
            if not self.is_sqlite:
                # another process migrates: that may take longer than a writer's patience
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:name)"), {"name": _MIGRATION_LOCK}
                )
            yield connection
            if self.is_sqlite:
                schema.check_foreign_keys(connection)

    @property
    def _file(self) -> Path:
        return Path(self.url.database or "")

    def _make_folder(self) -> None:
        if not self.is_sqlite:
            return
        try:
            sqlite_files.make_private(self._file)
        except OSError as error:
            raise StoreUnreachable(
                f"cannot make {self._file} for the database: {error.strerror}; "
                "choose another with ISSUE_TAGGER_DATA_DIR"
            ) from error


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The URL itself stays out of the message: it may hold a password.
        raise StoreRefused(
            "the database URL cannot be read; expected sqlite:///FILE or "
            "postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from error
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database not in {
        None,
        "",
        ":memory:",
    }:
        return parsed
    raise StoreRefused(
        f"got the database URL {parsed.render_as_string(hide_password=True)}; "
        "expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    )


def _open_sqlite(dbapi_connection: Any, _record: Any, *, patience: float) -> None:
    # The driver's own BEGIN comes late and is never IMMEDIATE: we send ours (_begin_sqlite).
    dbapi_connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {round(patience * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # people delete issues because of secrets
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(sqlite_files.OUTSIDE):
        return
    reading, migrating = bool(options.get(_READING)), bool(options.get(_MIGRATING))
    # A migration rebuilds tables, which would delete the rows that refer to them; it checks
    # the keys itself at its end. Neither pragma can be changed inside a transaction.
    _set_pragma(connection, "foreign_keys", on=not migrating)
    _set_pragma(connection, "query_only", on=reading)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _set_pragma(connection: Connection, name: str, *, on: bool) -> None:
    """Set where it is not set so already: a transaction begins a dozen times for one delivery."""
    if connection.info.get(name) != on:
        connection.exec_driver_sql(f"PRAGMA {name} = {'ON' if on else 'OFF'}")
        connection.info[name] = on


def _as_json(value: Any) -> str:
    # PostgreSQL takes no NaN, and escaped text can hold every character a payload may have.
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
