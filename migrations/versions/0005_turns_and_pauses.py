"""Repositories take turns in the inbox, and are held back where GitHub asks for it. Revision 0005."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("repository_key", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository_key", name=op.f("pk_pauses")),
    )
    key = sa.Column("repository_key", sa.Text(), nullable=False, server_default="")
    op.add_column("deliveries", key)
    _fill()
    op.create_index(
        "ix_deliveries_state_repository_key_due_at_id",
        "deliveries",
        ["state", "repository_key", "due_at", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_state_repository_key_due_at_id", table_name="deliveries")
    op.drop_column("deliveries", "repository_key")
    op.drop_table("pauses")


def _fill() -> None:
    deliveries = sa.table(
        "deliveries", sa.column("repository", sa.Text()), sa.column("repository_key", sa.Text())
    )
    connection = op.get_bind()
    named = deliveries.c.repository.is_not(None)
    names = connection.scalars(sa.select(deliveries.c.repository).where(named).distinct()).all()
    for name in names:
        folded = _UNSTORABLE.sub("\ufffd", name).casefold()
        connection.execute(
            deliveries.update()
            .where(deliveries.c.repository == name)
            .values(repository_key=folded)
        )
