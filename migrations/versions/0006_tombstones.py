"""Issues that were deleted stay away, by GitHub's id. Revision 0006."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("issues", sa.Column("github_id", _BIG_ID, nullable=True))
    op.create_table(
        "tombstones",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("repository_id", _BIG_ID, nullable=False),
        sa.Column("number", _BIG_ID, nullable=False),
        sa.Column("github_id", _BIG_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_tombstones_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
    )
    op.create_index("ix_tombstones_github_id", "tombstones", ["github_id"], unique=False)
    op.create_index(
        "ix_tombstones_repository_id_number", "tombstones", ["repository_id", "number"]
    )


def downgrade() -> None:
    op.drop_table("tombstones")
    op.drop_column("issues", "github_id")
