"""What was done about each label of a prediction, and with which probability chance chose it.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("inclusion", sa.Double(), nullable=True))
    op.add_column("predictions", sa.Column("telling", sa.Double(), nullable=True))
    action = sa.CheckConstraint(
        "action IN ('set', 'suggested', 'none')", name=op.f("ck_prediction_labels_action")
    )
    op.add_column("prediction_labels", sa.Column("action", sa.Text(), action, nullable=True))
    op.add_column("prediction_labels", sa.Column("inclusion", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("prediction_labels", "inclusion")
    op.drop_column("prediction_labels", "action")
    op.drop_column("predictions", "telling")
    op.drop_column("predictions", "inclusion")
