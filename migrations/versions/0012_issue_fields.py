"""Values of issues' single-select fields. Revision 0012."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("fields", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("issues", "fields")
