"""What the bot knows of repositories and issues has columns of its own. Revision 0008.

Until here it was one JSON document a row, with a key for each fact. A release's provenance leaves
the gate's decision, where it was kept until here.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True)

REPOSITORY_COLUMNS = {
    "holdout_key": sa.Text(),
    "report_issue": ID,
    "no_suggestions_since": MOMENT,
    "left_at": MOMENT,
    "left_because": sa.Text(),
    "configuration": JSON,
    "intake_rules": JSON,
    "label_list": JSON,
    "configuration_notice": JSON,
}
ISSUE_COLUMNS = {
    "answer_comment_id": ID,
    "suggestion_comment_id": ID,
    "opted_out_at": MOMENT,
    "opted_in_at": MOMENT,
}
PROVENANCE = ("learned_from", "held_out", "events_until", "replay")


def upgrade() -> None:
    for table, columns in (("repositories", REPOSITORY_COLUMNS), ("issues", ISSUE_COLUMNS)):
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("releases", sa.Column("provenance", JSON, nullable=True))
    _spread("repositories", REPOSITORY_COLUMNS, _repository_columns)
    _spread("issues", ISSUE_COLUMNS, _issue_columns)
    _change_releases(_parted)
    op.drop_column("repositories", "memory")
    op.drop_column("issues", "memory")


def downgrade() -> None:
    for table in ("repositories", "issues"):
        op.add_column(table, sa.Column("memory", JSON, nullable=False, server_default="{}"))
    _gather("repositories", REPOSITORY_COLUMNS, _repository_memory)
    _gather("issues", ISSUE_COLUMNS, _issue_memory)
    _change_releases(_joined)
    op.drop_column("releases", "provenance")
    for table, columns in (("repositories", REPOSITORY_COLUMNS), ("issues", ISSUE_COLUMNS)):
        for name in columns:
            op.drop_column(table, name)


def _table(name: str, columns: dict[str, sa.types.TypeEngine]) -> sa.TableClause:
    memory = sa.column("memory", JSON)
    return sa.table(name, sa.column("id", ID), memory, *map(sa.column, columns, columns.values()))


def _spread(name: str, columns: dict, spread) -> None:
    """From the document to the columns; rows that hold nothing are left alone: most issues."""
    connection, table = op.get_bind(), _table(name, columns)
    said = sa.cast(table.c.memory, sa.Text()) != "{}"
    for row_id, memory in connection.execute(sa.select(table.c.id, table.c.memory).where(said)):
        changed = {key: value for key, value in spread(memory).items() if value is not None}
        if changed:
            connection.execute(table.update().where(table.c.id == row_id).values(changed))


def _gather(name: str, columns: dict, gather) -> None:
    connection, table = op.get_bind(), _table(name, columns)
    filled = sa.or_(*(table.c[column].is_not(None) for column in columns))
    for row in connection.execute(sa.select(table).where(filled)):
        memory = {key: value for key, value in gather(row).items() if value is not None}
        connection.execute(table.update().where(table.c.id == row.id).values(memory=memory))


def _repository_columns(memory: dict) -> dict:
    left, kept = memory.get("left") or {}, memory.get("configuration")
    return {
        "holdout_key": memory.get("lot"),
        "report_issue": memory.get("report_issue"),
        "no_suggestions_since": _moment(memory.get("no_suggestions_since")),
        "left_at": _moment(left.get("at")),
        "left_because": left.get("why"),
        "configuration": _without_intake(kept) if isinstance(kept, dict) else None,
        "intake_rules": kept.get("intake") if isinstance(kept, dict) else None,
        "label_list": memory.get("label_list"),
        "configuration_notice": memory.get("configuration_notice"),
    }


def _without_intake(kept: dict) -> dict:
    """Problems that the first versions kept as one line of text get a line and a key as well."""
    problems = [
        [1, "", problem] if isinstance(problem, str) else problem
        for problem in kept.get("problems", ())
    ]
    return {
        **{key: value for key, value in kept.items() if key != "intake"},
        "problems": problems,
    }


def _repository_memory(row: sa.Row) -> dict:
    left = {"why": row.left_because, "at": _iso(row.left_at)} if row.left_at else None
    kept = row.configuration
    if kept is not None and row.intake_rules is not None:
        kept = {**kept, "intake": row.intake_rules}
    return {
        "lot": row.holdout_key,
        "report_issue": row.report_issue,
        "no_suggestions_since": _iso(row.no_suggestions_since),
        "left": left,
        "configuration": kept,
        "label_list": row.label_list,
        "configuration_notice": row.configuration_notice,
    }


def _issue_columns(memory: dict) -> dict:
    return {
        "answer_comment_id": memory.get("answer_comment"),
        "suggestion_comment_id": memory.get("suggestion_comment"),
        "opted_out_at": _moment(memory.get("off")),
        "opted_in_at": _moment(memory.get("retry")),
    }


def _issue_memory(row: sa.Row) -> dict:
    return {
        "answer_comment": row.answer_comment_id,
        "suggestion_comment": row.suggestion_comment_id,
        "off": _iso(row.opted_out_at),
        "retry": _iso(row.opted_in_at),
    }


def _change_releases(change) -> None:
    connection = op.get_bind()
    releases = sa.table(
        "releases",
        *(sa.column("repository_id", ID), sa.column("id", sa.Text())),
        *(sa.column("gate", JSON), sa.column("provenance", JSON)),
    )
    for repository_id, release_id, gate, provenance in connection.execute(sa.select(releases)):
        row = sa.and_(releases.c.repository_id == repository_id, releases.c.id == release_id)
        gate, provenance = change(gate, provenance)
        connection.execute(releases.update().where(row).values(gate=gate, provenance=provenance))


def _parted(gate: dict | None, _: dict | None) -> tuple[dict | None, dict | None]:
    if gate is None:
        return None, None
    provenance = {key: gate[key] for key in PROVENANCE if gate.get(key) is not None}
    decision = {key: value for key, value in gate.items() if key not in PROVENANCE}
    return decision or None, provenance or None


def _joined(gate: dict | None, provenance: dict | None) -> tuple[dict | None, dict | None]:
    if gate is None and provenance is None:
        return None, None
    return {**(gate or {}), **(provenance or {})}, None


def _moment(stored: object) -> datetime | None:
    """A moment as this database keeps it: SQLite has no time zones, all is UTC there."""
    if not isinstance(stored, str):
        return None
    moment = datetime.fromisoformat(stored).astimezone(UTC)
    return moment.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else moment


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat()
