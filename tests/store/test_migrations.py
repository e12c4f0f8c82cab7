"""The migrations build exactly the tables of `store.tables`, and take them down again."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
import yaml
from alembic import command
from sqlalchemy import create_engine, inspect, text

from store.database import Store
from store.engine import schema
from store.errors import SchemaOutdated, SchemaTooNew, StoreDamaged
from store.tables import TableBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Opener = Callable[..., Store]

TABLES = {table.name for table in TableBase.metadata.sorted_tables}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new folder/issues.db"
        return
    url = request.getfixturevalue("postgres_url")
    with Store(url) as store:
        store.migrate("base")
        yield url
        store.migrate("base")  # with what the test left there
        store.migrate()


def tables_of(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {schema.VERSION_TABLE}
    finally:
        engine.dispose()


def test_tables_and_migrations_do_not_differ(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate()
    with store.migrating() as connection:
        command.check(schema.configuration(connection))  # raises where they differ
    assert tables_of(own_url) == TABLES


def test_everything_goes_down_and_up_again(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate()
    store.migrate("base")
    assert tables_of(own_url) == set()
    assert not store.is_current()
    store.migrate()
    assert tables_of(own_url) == TABLES
    assert store.is_current()


def test_migrating_twice_changes_nothing(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate()
    store.migrate()
    assert store.revision() == schema.head()


def test_taking_down_what_is_not_there_changes_nothing(own_url: str, open_store: Opener):
    open_store(own_url).migrate("base")
    assert tables_of(own_url) == set()


def test_many_processes_may_migrate_at_once(own_url: str, open_store: Opener):
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            open_store(own_url).migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert open_store(own_url).is_current()


def test_constraints_have_the_names_of_the_convention(own_url: str, open_store: Opener):
    open_store(own_url).migrate()
    engine = create_engine(own_url)
    inspector = inspect(engine)
    for table in TableBase.metadata.sorted_tables:
        wanted = {str(constraint.name) for constraint in table.constraints}
        found = {
            inspector.get_pk_constraint(table.name)["name"],
            *(key["name"] for key in inspector.get_foreign_keys(table.name)),
            *(key["name"] for key in inspector.get_unique_constraints(table.name)),
            *(key["name"] for key in inspector.get_check_constraints(table.name)),
        }
        assert found == wanted
    engine.dispose()


def test_there_is_one_newest_revision():
    assert schema.head() == schema.revisions()[0]
    assert len(set(schema.revisions())) == len(schema.revisions())


def test_a_database_without_tables_is_outdated(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store._make_folder()
    with pytest.raises(SchemaOutdated, match="revision none"):
        store.check_schema()
    with pytest.raises(SchemaOutdated, match="migrate"), store.begin() as work:
        work.inbox.counts()


def test_a_database_of_a_later_version_is_left_alone(database_url: str, open_store: Opener):
    store = open_store(database_url)
    with store.migrating() as connection:
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    assert not store.is_current()
    with pytest.raises(SchemaTooNew, match="update issue-tagger"):
        store.check_schema()
    with pytest.raises(SchemaTooNew):
        store.migrate()
    assert tables_of(database_url) == TABLES


def test_a_migration_that_breaks_references_is_rolled_back(store: Store):
    orphan = "INSERT INTO issue_labels (issue_id, name_key, name) VALUES (7, 'bug', 'bug')"
    with pytest.raises(StoreDamaged, match="issue_labels"), store.migrating() as connection:
        connection.exec_driver_sql(orphan)
    with store.read() as work:
        assert work.issues.count(1) == 0
    with store.migrating() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM issue_labels").scalar() == 0


CONFIGURATION = {
    "checked_at": "2025-03-01T00:00:00+00:00",
    "valid": "mode: off\nlabels: {1.0: , Bug: {precision: .95}}\ndelay_seconds: 0\n"
    "fallback_label: 'null'\nignore: {titles: ['^(?!x)', \"\\u00e9\"], authors: [~x]}\n",
    "problems": [[1, "x", "wrong"]],
    "places": {"repository": {"etag": "e", "text": "x"}},
}


def test_a_configuration_that_was_kept_as_text_becomes_rules(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate("0003")
    memory = {"configuration": CONFIGURATION, "lot": "a/z"}
    with store.migrating() as connection:
        for number, kept in enumerate((memory, {}, {"configuration": {"valid": None}})):
            connection.execute(
                text(
                    "INSERT INTO repositories (full_name, name_key, created_at, cursors, memory) "
                    "VALUES (:name, :name, '2025-01-01 00:00:00+00:00', '{}', :memory)"
                ),
                {"name": f"a/{number}", "memory": json.dumps(kept)},
            )
    store.migrate()
    with store.read() as work:
        first, second, third = work.repositories.all()
    kept = first.configuration
    assert json.loads(kept["valid"]) == {
        "mode": "off",
        "labels": {"1.0": None, "Bug": {"precision": 0.95}},
        "delay_seconds": 0,
        "fallback_label": "null",
        "ignore": {"titles": ["^(?!x)", "é"], "authors": ["~x"]},
    }
    assert first.intake_rules == {"delay_seconds": 0, "fallback_label": "null"}
    assert {key: kept[key] for key in ("checked_at", "problems", "places")} == {
        key: CONFIGURATION[key] for key in ("checked_at", "problems", "places")
    }
    assert (first.holdout_key, second.configuration) == ("a/z", None)
    assert third.configuration == {"valid": None, "problems": []}
    assert third.intake_rules == {"delay_seconds": 120, "fallback_label": None}
    store.migrate("0003")
    store.migrate()
    with store.read() as work:
        assert work.repositories.all() == (first, second, third)


def test_rules_taken_down_are_a_file_again(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate("0003")
    with store.migrating() as connection:
        connection.execute(
            text(
                "INSERT INTO repositories (full_name, name_key, created_at, cursors, memory) "
                "VALUES ('a/b', 'a/b', '2025-01-01 00:00:00+00:00', '{}', :memory)"
            ),
            {"memory": json.dumps({"configuration": CONFIGURATION})},
        )
    store.migrate()
    store.migrate("0003")
    with store.migrating() as connection:
        memory = connection.execute(text("SELECT memory FROM repositories")).scalar_one()
    memory = json.loads(memory) if isinstance(memory, str) else memory
    kept = memory["configuration"]
    assert yaml.safe_load(kept["valid"])["labels"]["Bug"] == {"precision": 0.95}
    assert "intake" not in kept


def test_issues_of_before_have_no_type_and_are_not_locked(own_url: str, open_store: Opener):
    store = open_store(own_url)
    store.migrate("0005")
    with store.migrating() as connection:
        connection.execute(
            text(
                "INSERT INTO repositories (full_name, name_key, created_at, cursors, memory) "
                "VALUES ('a/b', 'a/b', '2025-01-01 00:00:00+00:00', '{}', '{}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO issues (repository_id, number, is_pull_request, filed_title, "
                "filed_body, title, body, state, created_at, memory) SELECT id, 7, :no, 't', "
                "'b', 't', 'b', 'open', '2025-01-01 00:00:00+00:00', '{}' FROM repositories"
            ),
            {"no": False},
        )
    for _ in range(2):
        store.migrate()
        with store.read() as work:
            issue = work.issues.get(work.repositories.get("a/b").id, 7)
        assert (issue.title, issue.type, issue.locked) == ("t", "", False)
        store.migrate("0005")
