"""What is said of an issue beside its labels, and the duplicates that people named.

Revision 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("repositories", sa.Column("duplicates", sa.JSON(), nullable=True))
    op.create_table(
        "advice",
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["issues.id"],
            name=op.f("fk_advice_issue_id_issues"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_advice")),
    )
    op.create_table(
        "duplicate_links",
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("original", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["issues.id"],
            name=op.f("fk_duplicate_links_issue_id_issues"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issue_id", "original", name=op.f("pk_duplicate_links")),
    )


def downgrade() -> None:
    op.drop_table("duplicate_links")
    op.drop_table("advice")
    op.drop_column("repositories", "duplicates")
