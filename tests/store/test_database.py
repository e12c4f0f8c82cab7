"""Units of work from both sides, and errors that say what to do."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from store.database import Store
from store.errors import (
    NestedUnitOfWork,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreRefused,
    StoreUnavailable,
    StoreUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.unit_of_work import UnitOfWork

    Opener = Callable[..., Store]


class Stop(Exception):
    pass


def add_and_raise(store: Store, now: datetime, way_out: type[BaseException] = Stop) -> None:
    with store.begin() as work:
        work.repositories.get_or_create("a/lost", now=now)
        raise way_out


def names(store: Store) -> list[str]:
    with store.read() as work:
        return [repository.full_name for repository in work.repositories.all()]


def test_a_block_that_ends_is_kept(shared_store: Store, now: datetime):
    with shared_store.begin() as work:
        work.repositories.get_or_create("a/kept", now=now)
    assert names(shared_store) == ["a/kept"]


@pytest.mark.parametrize("way_out", [Stop, KeyboardInterrupt, GeneratorExit])
def test_a_block_that_raises_leaves_nothing(
    shared_store: Store, now: datetime, way_out: type[BaseException]
):
    with pytest.raises(way_out):
        add_and_raise(shared_store, now, way_out)
    assert names(shared_store) == []


def test_the_store_is_usable_after_a_block_that_raised(shared_store: Store, now: datetime):
    with pytest.raises(Stop):
        add_and_raise(shared_store, now)
    with shared_store.begin() as work:
        work.repositories.get_or_create("a/kept", now=now)
    assert names(shared_store) == ["a/kept"]


def test_a_reader_sees_one_state_while_a_writer_commits(shared_store: Store, now: datetime):
    with shared_store.read() as reading:
        before = reading.repositories.all()
        with shared_store.begin() as writing:
            writing.repositories.get_or_create("a/new", now=now)
        assert reading.repositories.all() == before == ()
    assert names(shared_store) == ["a/new"]


def test_a_reader_cannot_write(shared_store: Store, now: datetime):
    with pytest.raises(StoreReadOnly), shared_store.read() as work:
        work.repositories.get_or_create("a/b", now=now)
    assert names(shared_store) == []


def test_a_connection_that_read_can_write_afterwards(store: Store, now: datetime):
    assert names(store) == []
    with store.begin() as work:
        work.repositories.get_or_create("a/b", now=now)
    assert names(store) == ["a/b"]


def test_a_unit_of_work_inside_another_is_refused(store: Store):
    with store.begin(), pytest.raises(NestedUnitOfWork, match="pass the open one down"):
        store.begin().__enter__()


def test_writers_of_many_threads_take_turns(shared_store: Store, now: datetime):
    def add(worker: int) -> None:
        for number in range(10):
            with shared_store.begin() as work:
                work.repositories.get_or_create(f"w{worker}/n{number}", now=now)

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(shared_store)) == 40


def test_another_process_that_holds_the_lock_makes_us_busy(
    database_url: str, now: datetime, open_store: Opener
):
    holder = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store = open_store(database_url, patience_seconds=0.01)
    with pytest.raises(StoreBusy, match="try again"), store.begin() as work:
        work.repositories.get_or_create("a/b", now=now)
    assert names(store) == []  # readers are not held up
    holder.execute("ROLLBACK")
    holder.close()


def test_another_thread_that_writes_for_long_makes_us_busy(database_url: str, open_store: Opener):
    store = open_store(database_url, patience_seconds=0.01)
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.begin():
            begun.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    with pytest.raises(StoreBusy, match="another thread"), store.begin():
        pass
    done.set()
    thread.join()


def test_a_full_disk_loses_nothing(store: Store, now: datetime):
    with store.begin() as work:
        work.repositories.get_or_create("a/kept", now=now)
        connection = work._session.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull, match="no space left"), store.begin() as work:
        work.repositories.get_or_create("a/lost" + "x" * 1_000_000, now=now)
    assert names(store) == ["a/kept"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path, open_store: Opener):
    file = tmp_path / "notes.txt"
    file.write_text("not a database " * 100)
    with pytest.raises(StoreDamaged, match=r"notes\.txt"):
        open_store(f"sqlite:///{file}").migrate()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, open_store: Opener):
    (tmp_path / "file").write_text("")
    store = open_store(f"sqlite:///{tmp_path}/file/issues.db")
    with pytest.raises(StoreUnreachable, match="DATA_DIR"):
        store.migrate()
    with pytest.raises(StoreUnreachable, match="no database"):
        store.ping()


def test_a_folder_in_place_of_the_file_is_unreachable(tmp_path: Path, open_store: Opener):
    with pytest.raises(StoreUnreachable, match="cannot be reached"):
        open_store(f"sqlite:///{tmp_path}").migrate()


def test_a_missing_file_is_not_made_by_asking(tmp_path: Path, open_store: Opener):
    file = tmp_path / "issues.db"
    with pytest.raises(StoreUnreachable):
        open_store(f"sqlite:///{file}").ping()
    assert not file.exists()


def test_nothing_is_written_into_a_file_that_was_deleted(store: Store, now: datetime):
    with store.begin() as work:
        work.repositories.get_or_create("a/kept", now=now)
    file = Path(store.url.database or "")
    kept = file.rename(file.with_name("elsewhere.db"))
    for use in (store.begin, store.read):
        with pytest.raises(StoreUnreachable, match="no database"), use():
            pytest.fail("the file is not there")
    assert not file.exists()
    kept.rename(file)
    assert names(store) == ["a/kept"]


def test_a_file_that_was_replaced_is_taken_up(store: Store, now: datetime, tmp_path: Path):
    file, other = Path(store.url.database or ""), tmp_path / "backup.db"
    with store.begin() as work:
        work.repositories.get_or_create("a/before", now=now)
    with Store(f"sqlite:///{other}") as backup:
        backup.migrate()
        with backup.begin() as work:
            work.repositories.get_or_create("a/restored", now=now)
    for left in file.parent.glob(f"{file.name}-*"):
        left.unlink()
    other.replace(file)
    assert names(store) == ["a/restored"]


def test_a_migrated_database_answers(shared_store: Store):
    shared_store.ping()
    shared_store.check_schema()
    assert shared_store.is_current()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense", ""])
def test_other_urls_are_refused_with_the_right_form(url: str, open_store: Opener):
    with pytest.raises(StoreRefused, match=r"postgresql\+psycopg://"):
        open_store(url)


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_passwords_in_the_query_stay_out_of_messages(open_store: Opener, name: str):
    store = open_store(f"postgresql+psycopg://user@127.0.0.1:1/none?{name}=hunter2&sslmode=prefer")
    assert "hunter2" not in store.shown_url
    assert "sslmode=prefer" in store.shown_url


def test_passwords_stay_out_of_messages(open_store: Opener):
    store = open_store("postgresql://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in store.shown_url
    with pytest.raises(StoreUnreachable) as caught:
        store.ping()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(StoreRefused) as refused:
        open_store("mysql://user:hunter2@host/none")
    assert "hunter2" not in str(refused.value)


def test_short_forms_of_the_postgresql_url_are_understood(open_store: Opener):
    assert open_store("postgresql://h/d").url.drivername == "postgresql+psycopg"
    assert open_store("postgres://h/d").url.drivername == "postgresql+psycopg"


def test_sqlite_is_opened_durable_and_strict(store: Store):
    with store.begin() as work:
        connection = work._session.connection()
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_file_has_no_clock_of_its_own(store: Store):
    assert store.server_time() is None


@pytest.mark.postgres
def test_a_server_tells_its_time(postgres_store: Store):
    told = postgres_store.server_time()
    assert told is not None
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.postgres
def test_a_database_that_is_not_there_is_unreachable(postgres_url: str, open_store: Opener):
    store = open_store(postgres_url + "_missing")
    with pytest.raises(StoreUnreachable, match="does not exist"):
        store.migrate()


@pytest.mark.postgres
def test_a_restarted_server_costs_nothing(postgres_store: Store, now: datetime):
    with postgres_store.begin() as work:
        work.repositories.get_or_create("a/kept", now=now)
    drop_other_connections(postgres_store)
    assert names(postgres_store) == ["a/kept"]


@pytest.mark.postgres
def test_a_connection_that_breaks_within_the_block_is_unreachable(postgres_store: Store):
    with pytest.raises(StoreUnreachable), postgres_store.begin() as work:
        drop_other_connections_after_use(work, postgres_store)
    assert names(postgres_store) == []


@pytest.mark.postgres
def test_a_lock_held_too_long_on_postgresql_makes_us_busy(
    postgres_url: str, now: datetime, open_store: Opener
):
    patient, hasty = open_store(postgres_url), open_store(postgres_url, patience_seconds=0.05)
    with patient.begin() as work:
        work.repositories.get_or_create("a/locked", now=now)
        with pytest.raises(StoreBusy), hasty.begin() as other:
            other.repositories.get_or_create("a/locked", now=now)
        work.repositories.delete("a/locked")


def test_every_error_of_the_database_is_one_of_ours():
    assert issubclass(StoreUnavailable, StoreError)
    assert all(issubclass(kind, StoreUnavailable) for kind in (StoreBusy, StoreFull))


def drop_other_connections_after_use(work: UnitOfWork, store: Store) -> None:
    work.repositories.all()
    drop_other_connections(store)
    work.repositories.all()


def drop_other_connections(store: Store) -> None:
    engine = create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()
