"""The tables: what is kept, and which rules the database itself enforces.

Every constraint has a name by one convention, so that a migration can speak of it. Names that
GitHub compares without case are kept twice: as written (`name`) and folded (`name_key`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, get_args

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from store.engine.column_types import BigId, Json, StorableText, UtcDateTime
from store.records import (
    Action,
    ActorKind,
    Decision,
    DeliveryState,
    EvaluationState,
    EventSource,
    LabelAction,
    PromotionKind,
    ReleaseState,
    ReviewEffect,
    ReviewOrigin,
    ReviewPlace,
    ReviewVerdict,
    TargetKind,
    TaskState,
    TokenRole,
    WriteForm,
    WriteRunKind,
    WriteState,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


_STATES = (
    Action,
    ActorKind,
    Decision,
    DeliveryState,
    EvaluationState,
    EventSource,
    LabelAction,
    PromotionKind,
    ReleaseState,
    ReviewEffect,
    ReviewOrigin,
    ReviewPlace,
    ReviewVerdict,
    TargetKind,
    TaskState,
    TokenRole,
    WriteForm,
    WriteRunKind,
    WriteState,
)


class TableBase(DeclarativeBase):
    """The root of every table below; annotations choose the column's type."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigId,
        str: StorableText,
        datetime: UtcDateTime,
        bytes: LargeBinary,
        dict[str, Any]: Json,
        dict[str, str]: Json,
        list[str]: Json,
        list[Any]: Json,
        **dict.fromkeys(_STATES, StorableText),
    }


def _one_of(column: str, states: Any) -> CheckConstraint:
    """:param states: a `Literal`, the type of the column."""
    allowed = ", ".join(f"'{value}'" for value in get_args(states))
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


class RepositoryRow(TableBase):
    """A repository that the bot knows, and where its last `sync` stopped."""

    __tablename__ = "repositories"
    __table_args__ = (UniqueConstraint("name_key"), UniqueConstraint("github_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    name_key: Mapped[str]
    github_id: Mapped[int | None]
    created_at: Mapped[datetime]
    cursors: Mapped[dict[str, Any]] = mapped_column(default=dict)
    holdout_key: Mapped[str | None]
    report_issue: Mapped[int | None]
    no_suggestions_since: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    left_because: Mapped[str | None]
    configuration: Mapped[dict[str, Any] | None]
    intake_rules: Mapped[dict[str, Any] | None]
    label_list: Mapped[dict[str, Any] | None]
    configuration_notice: Mapped[dict[str, Any] | None]
    duplicates: Mapped[dict[str, Any] | None]


class LabelRow(TableBase):
    """A label of a repository as GitHub lists it; deleted ones stay, marked."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("repository_id", "name_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    color: Mapped[str] = mapped_column(default="")
    deleted_at: Mapped[datetime | None]
    former_names: Mapped[list[str]] = mapped_column(default=list)


class IssueRow(TableBase):
    """An issue, pull request or discussion, as filed (never overwritten) and as it is now."""

    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("repository_id", "number"),
        Index(None, "repository_id", "updated_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    number: Mapped[int]
    github_id: Mapped[int | None]
    is_pull_request: Mapped[bool]
    filed_title: Mapped[str]
    filed_body: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]
    author: Mapped[str | None]
    author_association: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    type: Mapped[str] = mapped_column(default="")
    locked: Mapped[bool] = mapped_column(default=False)
    paths: Mapped[list[str] | None]
    fields: Mapped[dict[str, str] | None]
    category: Mapped[str | None]
    answer_comment_id: Mapped[int | None]
    suggestion_comment_id: Mapped[int | None]
    opted_out_at: Mapped[datetime | None]
    opted_in_at: Mapped[datetime | None]


class TombstoneRow(TableBase):
    """An issue that was deleted and is not to come back (see `store.tombstones`)."""

    __tablename__ = "tombstones"
    __table_args__ = (Index(None, "github_id"), Index(None, "repository_id", "number"))

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    number: Mapped[int]
    github_id: Mapped[int | None]
    at: Mapped[datetime]
    words: Mapped[list[str] | None] = mapped_column(Json)


class IssueLabelRow(TableBase):
    """A label that an issue carries now."""

    __tablename__ = "issue_labels"
    __table_args__ = (Index(None, "name_key"),)

    issue_id: Mapped[int] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True
    )
    name_key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class LabelEventRow(TableBase):
    """History: a label set on or taken off an issue, by whom and when."""

    __tablename__ = "label_events"
    __table_args__ = (
        UniqueConstraint("issue_id", "name_key", "action", "at", "source_key"),
        _one_of("action", Action),
        _one_of("actor_kind", ActorKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    action: Mapped[Action]
    actor: Mapped[str | None]
    actor_kind: Mapped[ActorKind]
    at: Mapped[datetime]
    source: Mapped[EventSource]
    source_key: Mapped[str] = mapped_column(default="")


class DeliveryRow(TableBase):
    """The durable inbox: a webhook delivery and how far its work has come.

    `lane` names what must be worked on in order and never by two workers: an issue, or a
    repository for what concerns no issue. That two deliveries of a lane never run at once is
    a unique index, so that no race and no isolation level can break it. `repository_key` is whose
    turn it is part of: the folded name of its repository, "" for what is about none.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("guid"),
        _one_of("state", DeliveryState),
        Index(None, "state", "due_at", "id"),
        Index(None, "state", "repository_key", "due_at", "id"),
        Index(None, "lane", "state"),
        Index(
            "uq_deliveries_lane_running",
            "lane",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    guid: Mapped[str]
    event: Mapped[str]
    action: Mapped[str | None]
    repository: Mapped[str | None]
    issue_number: Mapped[int | None]
    lane: Mapped[str | None]
    repository_key: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any] | None]
    state: Mapped[DeliveryState]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class PauseRow(TableBase):
    """Until when nothing of a repository is taken up (see `store.queues.pauses`)."""

    __tablename__ = "pauses"

    repository_key: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class TaskRow(TableBase):
    """Work that is asked for or comes round, and how far it has come (see `store.queues.tasks`)."""

    __tablename__ = "tasks"
    __table_args__ = (_one_of("state", TaskState), Index(None, "state", "due_at"))

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    repository_id: Mapped[int | None] = mapped_column(
        ForeignKey("repositories.id", ondelete="CASCADE")
    )
    state: Mapped[TaskState]
    due_at: Mapped[datetime | None]
    cron: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    asked_by: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    outcome: Mapped[str | None]
    claimed_by: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class LeaseRow(TableBase):
    """Who may do what only one may do at a time."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime]


class ReleaseRow(TableBase):
    """A trained release: where its files are, what the gate said of it, what it comes of."""

    __tablename__ = "releases"
    __table_args__ = (
        _one_of("state", ReleaseState),
        Index(
            "uq_releases_repository_id_target_active",
            "repository_id",
            "target",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    repository_id: Mapped[int] = mapped_column(
        ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    location: Mapped[str]
    digest: Mapped[str]
    state: Mapped[ReleaseState]
    target: Mapped[TargetKind] = mapped_column(default="issues")
    manifest: Mapped[dict[str, Any]]
    gate: Mapped[dict[str, Any] | None]
    provenance: Mapped[dict[str, Any] | None]


class PromotionRow(TableBase):
    """History of what served: a promotion puts a release on top, a rollback takes it off."""

    __tablename__ = "promotions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["repository_id", "release_id"],
            ["releases.repository_id", "releases.id"],
            ondelete="CASCADE",
        ),
        _one_of("kind", PromotionKind),
        Index(None, "repository_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int]
    release_id: Mapped[str]
    kind: Mapped[PromotionKind]
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")


class PredictionRow(TableBase):
    """What a release said of an issue at a moment; at most once for a delivery."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        ForeignKeyConstraint(
            ["repository_id", "release_id"], ["releases.repository_id", "releases.id"]
        ),
        Index(None, "issue_id"),
        Index(None, "repository_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    release_id: Mapped[str]
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("deliveries.id", ondelete="SET NULL")
    )
    at: Mapped[datetime]
    mode: Mapped[str]
    inclusion: Mapped[float | None]
    informativeness: Mapped[float | None] = mapped_column("telling")


class PredictionLabelRow(TableBase):
    """One label's part of a prediction."""

    __tablename__ = "prediction_labels"
    __table_args__ = (
        _one_of("decision", Decision),
        _one_of("action", LabelAction),
    )

    prediction_id: Mapped[int] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    score: Mapped[float]
    cut: Mapped[float]
    decision: Mapped[Decision]
    decided_by: Mapped[str]
    votes: Mapped[dict[str, Any]]
    neighbours: Mapped[list[Any]]
    drawn: Mapped[str | None]
    action: Mapped[LabelAction | None]
    inclusion: Mapped[float | None]


class WriteRunRow(TableBase):
    """What belongs together when it is undone: one webhook's labels, one backfill, one undo."""

    __tablename__ = "write_runs"
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        _one_of("kind", WriteRunKind),
        Index(None, "repository_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    kind: Mapped[WriteRunKind]
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("deliveries.id", ondelete="SET NULL")
    )
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("write_runs.id"))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class WriteRow(TableBase):
    """One label that the bot means to set, or has set; intended before GitHub is asked."""

    __tablename__ = "writes"
    __table_args__ = (
        UniqueConstraint("run_id", "issue_id", "name_key", "form"),
        _one_of("form", WriteForm),
        _one_of("state", WriteState),
        Index(None, "issue_id"),
        Index(None, "state"),
        Index(None, "form", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("write_runs.id", ondelete="CASCADE"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    form: Mapped[WriteForm]
    state: Mapped[WriteState]
    reason: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    at: Mapped[datetime]


class DecisionRow(TableBase):
    """What a person said on a page about a label of an issue; undone ones stay, marked."""

    __tablename__ = "decisions"
    __table_args__ = (
        _one_of("verdict", ReviewVerdict),
        _one_of("place", ReviewPlace),
        _one_of("effect", ReviewEffect),
        Index(None, "issue_id"),
        Index(None, "repository_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    verdict: Mapped[ReviewVerdict]
    origin: Mapped[ReviewOrigin]
    place: Mapped[ReviewPlace]
    effect: Mapped[ReviewEffect]
    actor: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("write_runs.id", ondelete="SET NULL"))


class AdviceRow(TableBase):
    """What was last said of an issue beside its labels; of other issues only numbers."""

    __tablename__ = "advice"

    issue_id: Mapped[int] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]
    document: Mapped[dict[str, Any]]


class DuplicateLinkRow(TableBase):
    """An issue that somebody who may say so called a duplicate of another in a comment."""

    __tablename__ = "duplicate_links"

    issue_id: Mapped[int] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True
    )
    original: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class ApiTokenRow(TableBase):
    """What a script may do in one repository: its token's digest, never the token."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("digest"), _one_of("role", TokenRole))

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    name: Mapped[str]
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    role: Mapped[TokenRole]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class EvaluationRunRow(TableBase):
    """One evaluation with its settings and, once finished, its report."""

    __tablename__ = "evaluation_runs"
    __table_args__ = (
        _one_of("state", EvaluationState),
        Index(None, "repository_id", "kind", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    kind: Mapped[str]
    fingerprint: Mapped[str]
    settings: Mapped[dict[str, Any]]
    state: Mapped[EvaluationState]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]


class EvaluationCellRow(TableBase):
    """One finished cell (strategy, slice, seed) of an evaluation: survives a kill."""

    __tablename__ = "evaluation_cells"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[dict[str, Any]]
    scores: Mapped[bytes | None]
    at: Mapped[datetime]


class VectorRow(TableBase):
    """A text's vector: float32 bytes under the encoder's identity and the text's digest."""

    __tablename__ = "vectors"

    encoder: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes]
