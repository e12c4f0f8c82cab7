"""Everything `store` raises on purpose.

StoreError
├── StoreUnavailable        try again later: nothing is wrong with the data or the caller
│   ├── StoreUnreachable    no server there, the file cannot be opened, the connection broke
│   ├── StoreBusy           another writer kept its lock longer than we wait
│   └── StoreFull           no space left where the database lives
├── StoreRefused            a URL that names no database we know
├── StoreReadOnly           a write where only reading is possible
├── StoreDamaged            the file is no database, or is broken
├── SchemaMismatch
│   ├── SchemaOutdated      the database is older than the code: migrate it
│   └── SchemaTooNew        the database is newer than the code: update the code
├── NestedUnitOfWork        a second write transaction in the thread of the first
├── LeaseLost               a worker ends what it no longer holds
├── LeaseHeld               another process does what only one may do at a time
└── NotStored               a repository, issue, label, release or run that is not there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.records import Lease


class StoreError(Exception):
    """The root: a message for people that says what was got, what was expected, what to do."""


class StoreUnavailable(StoreError):
    """The database cannot do it now; the same call may well succeed later."""


class StoreUnreachable(StoreUnavailable):
    """The database cannot be opened, or the connection to it broke."""


class StoreBusy(StoreUnavailable):
    """Another writer held its lock for longer than we wait, or won a deadlock."""


class StoreFull(StoreUnavailable):
    """The disk that holds the database has no space left."""


class StoreRefused(StoreError):
    """A database URL that is neither SQLite in a file nor PostgreSQL."""


class StoreReadOnly(StoreError):
    """A write inside `Store.read()`, or to a file that may not be written."""


class StoreDamaged(StoreError):
    """The database file is not a database, or its pages contradict one another."""


class SchemaMismatch(StoreError):
    """Tables and code are of different ages."""


class SchemaOutdated(SchemaMismatch):
    """The tables are older than the code, or not there yet."""


class SchemaTooNew(SchemaMismatch):
    """A later version of issue-tagger has migrated this database."""


class NestedUnitOfWork(StoreError):
    """A write transaction was begun inside another one of the same thread."""

    def __init__(self) -> None:
        super().__init__(
            "a second unit of work was begun inside the first; "
            "pass the open one down, or end it before beginning the next"
        )


class LeaseLost(StoreError):
    """The lease on a delivery or a task ran out and somebody else may have it by now."""

    def __init__(self, guid: str, worker: str, *, what: str = "delivery") -> None:
        self.guid = guid
        self.worker = worker
        super().__init__(
            f"worker {worker} no longer holds {what} {guid}: its lease ran out; "
            "drop what was done in this unit of work, it runs again"
        )


class LeaseHeld(StoreError):
    """Somebody else does it already.

    :ivar lease: who, since when, and until when at least.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        super().__init__(
            f"{lease.name} is held by {lease.holder} since {lease.since:%Y-%m-%d %H:%M:%S} UTC; "
            f"wait for it to end, or, if that process has died, until {lease.until:%H:%M:%S} UTC"
        )


class NotStored(StoreError):
    """Something was asked for by name or number that the database does not hold."""

    def __init__(self, what: str, name: object, hint: str = "") -> None:
        self.what = what
        self.name = name
        super().__init__(f"no {what} {name} in the database{'; ' + hint if hint else ''}")
