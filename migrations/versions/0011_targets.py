"""Pull requests: a release of their own, and the files that they change. Revision 0011."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    op.add_column("issues", sa.Column("paths", sa.JSON(), nullable=True))
    target = sa.Column("target", sa.Text(), nullable=False, server_default="issues")
    op.add_column("releases", target)
    op.drop_index("uq_releases_repository_id_active", table_name="releases")
    _one_active("uq_releases_repository_id_target_active", "repository_id", "target")


def downgrade() -> None:
    op.execute("UPDATE releases SET state = 'retired' WHERE target <> 'issues'")
    op.drop_index("uq_releases_repository_id_target_active", table_name="releases")
    _one_active("uq_releases_repository_id_active", "repository_id")
    op.drop_column("releases", "target")
    op.drop_column("issues", "paths")


def _one_active(name: str, *columns: str) -> None:
    op.create_index(
        name,
        "releases",
        list(columns),
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )
