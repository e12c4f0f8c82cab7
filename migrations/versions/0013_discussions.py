"""Discussions: the category that a discussion is filed in. Revision 0013."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("category", sa.Text(), nullable=True))


def downgrade() -> None:
    # Without the column they would pass for issues.
    op.execute("DELETE FROM issues WHERE category IS NOT NULL")
    op.drop_column("issues", "category")
