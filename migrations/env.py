"""What Alembic runs to reach the database: on a connection it is handed, or on `-x url=…`.

No environment variable is read here: `Store.migrate()` hands over an open connection, and a
developer names the database, `alembic -x url=sqlite:///data/issue-tagger.db check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from alembic import context
from alembic.util import CommandError

from store.tables import TableBase

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Connection


_PLAIN = {"StorableText": "sa.Text()", "UtcDateTime": "sa.DateTime(timezone=True)"}


def render(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write plain types into revisions: they must run when our own have long changed."""
    return _PLAIN.get(type(item).__name__, False) if kind == "type" else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=TableBase.metadata,
        render_item=render,
        # SQLite cannot alter a table in place; Alembic builds it anew and copies the rows.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def run_by_url() -> None:
    from store.database import Store

    url = context.get_x_argument(as_dictionary=True).get("url")
    if url is None:
        raise CommandError("name the database: alembic -x url=sqlite:///data/issue-tagger.db …")
    with Store(url).migrating() as connection:
        run(connection)


given = context.config.attributes.get("connection")
if given is None:
    run_by_url()
else:
    run(given)
