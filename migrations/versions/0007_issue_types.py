"""Issues' native types, and whether their conversation is locked. Revision 0007."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("type", sa.Text(), nullable=False, server_default=""))
    locked = sa.Column("locked", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("issues", locked)


def downgrade() -> None:
    op.drop_column("issues", "locked")
    op.drop_column("issues", "type")
