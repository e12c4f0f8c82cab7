"""What people decided on a page, the tokens of scripts, and runs that write what was taught.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
KINDS = ("webhook", "backfill", "undo")


def upgrade() -> None:
    _allow(*KINDS, "teaching")
    op.create_index("ix_writes_form_state", "writes", ["form", "state"])
    op.create_table(
        "decisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.Column("run_id", ID, nullable=True),
        sa.CheckConstraint(
            "verdict IN ('approved', 'dismissed', 'skipped')", name=op.f("ck_decisions_verdict")
        ),
        sa.CheckConstraint("place IN ('here', 'github')", name=op.f("ck_decisions_place")),
        sa.CheckConstraint(
            "effect IN ('none', 'added', 'removed', 'accepted', 'turned down')",
            name=op.f("ck_decisions_effect"),
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_decisions_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"],
            ["issues.id"],
            name=op.f("fk_decisions_issue_id_issues"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["write_runs.id"],
            name=op.f("fk_decisions_run_id_write_runs"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_issue_id", "decisions", ["issue_id"])
    op.create_index("ix_decisions_repository_id_at", "decisions", ["repository_id", "at"])
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('triage', 'admin')", name=op.f("ck_api_tokens_role")),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_api_tokens_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )


def downgrade() -> None:
    op.drop_table("api_tokens")
    op.drop_table("decisions")
    op.drop_index("ix_writes_form_state", table_name="writes")
    op.execute("UPDATE write_runs SET kind = 'backfill' WHERE kind = 'teaching'")
    _allow(*KINDS)


def _allow(*kinds: str) -> None:
    """Let runs of writes be of these kinds; SQLite forgets a check when it rebuilds the table."""
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("write_runs", recreate="auto") as table:
        if op.get_bind().dialect.name != "sqlite":
            table.drop_constraint(op.f("ck_write_runs_kind"), type_="check")
        table.create_check_constraint(op.f("ck_write_runs_kind"), f"kind IN ({allowed})")
