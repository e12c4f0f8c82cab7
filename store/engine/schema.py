"""The schema's age: which revision the tables are at, and how Alembic moves them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from store.errors import SchemaOutdated, SchemaTooNew, StoreDamaged

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

VERSION_TABLE = "alembic_version"

_REVISION = re.compile(r'^revision(?:: \w+)? = "(\w+)"', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision(?:: [\w |]+)? = (?:"(\w+)"|None)', re.MULTILINE)


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the packaged `migrations`, on this connection."""
    from alembic.config import Config

    # Alembic's default is whatever stdout was when it was imported, and the store is silent anyway
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def revisions() -> tuple[str, ...]:
    """Every revision that the code knows, the newest first.

    Read from the files' heads: importing Alembic takes half of what a short command takes.
    """
    texts = [
        file.read_text("utf-8")
        for file in (files("migrations") / "versions").iterdir()
        if file.name.endswith(".py") and not file.name.startswith("_")
    ]
    follows = {_before(text): _REVISION.findall(text)[0] for text in texts}
    chain = []
    present = follows.get(None)
    while present is not None:
        chain.append(present)
        present = follows.get(present)
    return tuple(reversed(chain))


def _before(text: str) -> str | None:
    [name] = _DOWN_REVISION.findall(text)
    return name or None


def head() -> str:
    """The revision that the code is written for."""
    return revisions()[0]


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables behind this connection; None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608 - a constant
    return None if row is None else str(row[0])


def check(revision: str | None) -> None:
    """Raise unless `revision` is the one that the code is written for.

    :raises SchemaOutdated: it is an earlier one, or none.
    :raises SchemaTooNew: it is none that the code knows.
    """
    refuse_newer(revision)
    if revision != head():
        raise SchemaOutdated(
            f"the database is at revision {revision or 'none'}, the code needs {head()}; "
            "bring it up to date with Store.migrate(), which issue-tagger does when it starts"
        )


def refuse_newer(revision: str | None) -> None:
    """Raise where the code does not know the revision.

    :raises SchemaTooNew: a later version has migrated this database.
    """
    if revision is not None and revision not in revisions():
        raise SchemaTooNew(
            f"the database is at revision {revision}, which this version of issue-tagger does "
            f"not know (its newest is {head()}); update issue-tagger, or restore a backup"
        )


def move(connection: Connection, to: str) -> None:
    """Run the migrations up or down to revision `to`, in the connection's transaction."""
    from alembic import command

    config = configuration(connection)
    if to == "head" or _is_newer(to, revision_of(connection)):
        command.upgrade(config, to)
    else:
        command.downgrade(config, to)


def check_foreign_keys(connection: Connection) -> None:
    """Look for rows that refer to nothing; SQLite does not look while a migration runs.

    :raises StoreDamaged: there are some; the migration is rolled back.
    """
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreDamaged(
            f"a row of table {broken[0]} refers to a row of {broken[2]} that is not there; "
            "nothing was migrated, restore the database from a backup"
        )


def _is_newer(to: str, present: str | None) -> bool:
    if present is None:
        return to != "base"
    revisions_here = [*revisions(), "base"]
    return revisions_here.index(to) < revisions_here.index(present)
