"""Every gateway's tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from store.database import Store
from store.unit_of_work import unit_of_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from store.records import Repository
    from store.unit_of_work import UnitOfWork


class OneTransaction(Store):
    """A store whose units of work are savepoints of one transaction, so all of it can be undone."""

    def __init__(self, url: str, connection: Connection) -> None:
        super().__init__(url)
        self._connection = connection

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        return self._savepoint()

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self._savepoint()

    @contextmanager
    def _savepoint(self) -> Iterator[UnitOfWork]:
        with unit_of_work(self._connection, self.shown_url) as work:
            yield work


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Opens stores as `Store(...)` does and closes them after the test."""
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(Store(url, **options))


@pytest.fixture
def rolled_back_store(one_postgres_store: Store) -> Iterator[Store]:
    """A store on PostgreSQL of which nothing remains: for tests with one connection."""
    url = one_postgres_store.url.render_as_string(hide_password=False)
    with one_postgres_store._engine.connect() as connection, connection.begin() as transaction:
        yield OneTransaction(url, connection)
        transaction.rollback()


@pytest.fixture(scope="session")
def one_postgres_store(postgres_url: str) -> Iterator[Store]:
    """Its connection serves every rolled back store."""
    with Store(postgres_url) as store:
        yield store


_POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(params=["sqlite", _POSTGRES])
def any_store(request: pytest.FixtureRequest) -> Store:
    """A store for one thread, once on each database."""
    name = "store" if request.param == "sqlite" else "rolled_back_store"
    return request.getfixturevalue(name)


@pytest.fixture(params=["sqlite", _POSTGRES])
def shared_store(request: pytest.FixtureRequest) -> Store:
    """A store for many threads, once on each database."""
    return request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def repository(any_store: Store, now: datetime) -> Repository:
    with any_store.begin() as work:
        return work.repositories.get_or_create("Acme/Rocket", now=now)
