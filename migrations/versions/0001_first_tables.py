"""The first tables. Revision 0001."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only where the type is called INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("repository", sa.Text(), nullable=True),
        sa.Column("issue_number", ID, nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", ID, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'running', 'done', 'failed', 'ignored')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("guid", name="uq_deliveries_guid"),
    )
    op.create_index("ix_deliveries_lane_state", "deliveries", ["lane", "state"], unique=False)
    op.create_index(
        "ix_deliveries_state_due_at_id", "deliveries", ["state", "due_at", "id"], unique=False
    )
    op.create_index(
        "uq_deliveries_lane_running",
        "deliveries",
        ["lane"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )

    op.create_table(
        "repositories",
        sa.Column("id", ID, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("github_id", ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursors", sa.JSON(), nullable=False),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repositories"),
        sa.UniqueConstraint("github_id", name="uq_repositories_github_id"),
        sa.UniqueConstraint("name_key", name="uq_repositories_name_key"),
    )
    op.create_table(
        "vectors",
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("encoder", "key", name="pk_vectors"),
    )
    op.create_table(
        "evaluation_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed')", name=op.f("ck_evaluation_runs_state")
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_evaluation_runs_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_runs"),
    )
    op.create_index(
        "ix_evaluation_runs_repository_id_kind_started_at",
        "evaluation_runs",
        ["repository_id", "kind", "started_at"],
        unique=False,
    )

    op.create_table(
        "issues",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("number", ID, nullable=False),
        sa.Column("is_pull_request", sa.Boolean(), nullable=False),
        sa.Column("filed_title", sa.Text(), nullable=False),
        sa.Column("filed_body", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("author_association", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_issues_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_issues"),
        sa.UniqueConstraint("repository_id", "number", name="uq_issues_repository_id_number"),
    )
    op.create_index(
        "ix_issues_repository_id_updated_at",
        "issues",
        ["repository_id", "updated_at"],
        unique=False,
    )

    op.create_table(
        "labels",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("former_names", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_labels_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("repository_id", "name_key", name="uq_labels_repository_id_name_key"),
    )
    op.create_table(
        "releases",
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "state IN ('staged', 'active', 'retired', 'refused')", name=op.f("ck_releases_state")
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_releases_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("repository_id", "id", name="pk_releases"),
    )
    op.create_index(
        "uq_releases_repository_id_active",
        "releases",
        ["repository_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )

    op.create_table(
        "write_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("delivery_id", ID, nullable=True),
        sa.Column("undoes_id", ID, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('webhook', 'backfill', 'undo')", name=op.f("ck_write_runs_kind")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name="fk_write_runs_delivery_id_deliveries",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_write_runs_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["write_runs.id"], name="fk_write_runs_undoes_id_write_runs"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_write_runs"),
        sa.UniqueConstraint("delivery_id", name="uq_write_runs_delivery_id"),
    )
    op.create_index(
        "ix_write_runs_repository_id_started_at",
        "write_runs",
        ["repository_id", "started_at"],
        unique=False,
    )

    op.create_table(
        "evaluation_cells",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("scores", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["evaluation_runs.id"],
            name="fk_evaluation_cells_run_id_evaluation_runs",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_evaluation_cells"),
    )
    op.create_table(
        "issue_labels",
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_issue_labels_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "name_key", name="pk_issue_labels"),
    )
    op.create_index("ix_issue_labels_name_key", "issue_labels", ["name_key"], unique=False)

    op.create_table(
        "label_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.CheckConstraint("action IN ('added', 'removed')", name=op.f("ck_label_events_action")),
        sa.CheckConstraint(
            "actor_kind IN ('person', 'bot', 'self', 'unknown')",
            name=op.f("ck_label_events_actor_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_label_events_issue_id_issues", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_label_events"),
        sa.UniqueConstraint(
            "issue_id",
            "name_key",
            "action",
            "at",
            "source_key",
            name="uq_label_events_issue_id_name_key_action_at_source_key",
        ),
    )
    op.create_table(
        "predictions",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name="fk_predictions_delivery_id_deliveries",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_predictions_issue_id_issues", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["repository_id", "release_id"],
            ["releases.repository_id", "releases.id"],
            name="fk_predictions_repository_id_release_id_releases",
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name="fk_predictions_repository_id_repositories",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_predictions"),
        sa.UniqueConstraint("delivery_id", name="uq_predictions_delivery_id"),
    )
    op.create_index("ix_predictions_issue_id", "predictions", ["issue_id"], unique=False)
    op.create_index(
        "ix_predictions_repository_id_at", "predictions", ["repository_id", "at"], unique=False
    )

    op.create_table(
        "promotions",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", ID, nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('promote', 'rollback')", name=op.f("ck_promotions_kind")),
        sa.ForeignKeyConstraint(
            ["repository_id", "release_id"],
            ["releases.repository_id", "releases.id"],
            name="fk_promotions_repository_id_release_id_releases",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
    )
    op.create_index("ix_promotions_repository_id", "promotions", ["repository_id"], unique=False)

    op.create_table(
        "writes",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("issue_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "form IN ('label', 'suggestion', 'comment')", name=op.f("ck_writes_form")
        ),
        sa.CheckConstraint(
            "state IN ('intended', 'written', 'undone', 'left', 'approved', 'dismissed')",
            name=op.f("ck_writes_state"),
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name="fk_writes_issue_id_issues", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["write_runs.id"], name="fk_writes_run_id_write_runs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_writes"),
        sa.UniqueConstraint(
            "run_id", "issue_id", "name_key", "form", name="uq_writes_run_id_issue_id_name_key_form"
        ),
    )
    op.create_index("ix_writes_issue_id", "writes", ["issue_id"], unique=False)
    op.create_index("ix_writes_state", "writes", ["state"], unique=False)

    op.create_table(
        "prediction_labels",
        sa.Column("prediction_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("cut", sa.Double(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("votes", sa.JSON(), nullable=False),
        sa.Column("neighbours", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "decision IN ('apply', 'suggest', 'abstain')",
            name=op.f("ck_prediction_labels_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name="fk_prediction_labels_prediction_id_predictions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("prediction_id", "name", name="pk_prediction_labels"),
    )


def downgrade() -> None:
    op.drop_table("prediction_labels")
    op.drop_table("writes")
    op.drop_table("promotions")
    op.drop_table("predictions")
    op.drop_table("label_events")
    op.drop_table("issue_labels")
    op.drop_table("evaluation_cells")
    op.drop_table("write_runs")
    op.drop_table("releases")
    op.drop_table("labels")
    op.drop_table("issues")
    op.drop_table("evaluation_runs")
    op.drop_table("vectors")
    op.drop_table("repositories")
    op.drop_table("deliveries")
