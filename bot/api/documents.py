"""The documents of `/api/v1` about what is to be decided, as pydantic models: the contract."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ApiDocument(BaseModel):
    """Read off a use case's own dataclasses."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ErrorDocument(ApiDocument):
    """What a refusal answers."""

    error: str


class RepositoryDocument(ApiDocument):
    """A repository that who asks may see."""

    name: str
    role: Literal["triage", "admin"]
    release: str | None = Field(description="The release that labels now.")
    unanswered: int = Field(description="Suggestions that nobody has answered.")


class RepositoriesDocument(ApiDocument):
    repositories: list[RepositoryDocument]


class PrecedentDocument(ApiDocument):
    """A labelled issue near the one in question; `similarity` from -1 to 1."""

    number: int
    title: str
    similarity: float


class ReviewItemDocument(ApiDocument):
    """One label of one issue.

    `probability` from 0 to 1; from `cut` on the bot acts.
    """

    number: int
    title: str
    label: str
    probability: float
    cut: float
    deed: Literal["set", "suggested", "would be set", "would be suggested", "left"]
    standing: Literal["open", "approved", "dismissed"]
    decided_by: str
    on_issue: bool
    at: datetime
    speaks_for: PrecedentDocument | None
    speaks_against: PrecedentDocument | None
    choices: list[Literal["approve", "dismiss", "undo"]]


class ShareDocument(ApiDocument):
    """A share with its 95 % interval; `value` is null where nothing was answered."""

    value: float | None
    low: float
    high: float
    n: int


class LiveLabelDocument(ApiDocument):
    """How one label does in use, over twelve weeks."""

    label: str
    precision: ShareDocument
    miss_rate: ShareDocument
    decided: int


class StandingDocument(ApiDocument):
    """How labels do in use; `pooled` is of all labels together."""

    pooled: LiveLabelDocument | None
    labels: list[LiveLabelDocument]


class FailedDocument(ApiDocument):
    """A webhook that was given up."""

    guid: str
    event: str
    action: str | None
    issue_number: int | None
    attempts: int
    error: str | None
    received_at: datetime
    has_payload: bool


class TodayDocument(ApiDocument):
    """What the bot set, suggested and left; `older` is the next page's `before`."""

    repository: str
    since: datetime
    before: datetime | None
    older: datetime | None
    predicted: int
    spoken_of: list[ReviewItemDocument]
    left: list[ReviewItemDocument]
    unanswered: int
    waiting: int
    failed: list[FailedDocument]
    release: str | None
    standing: StandingDocument | None = Field(
        description="Null while it is worked out for the first time."
    )


class DecisionOrder(BaseModel):
    """What to decide about one label of one issue."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=2**53)
    label: str = Field(min_length=1, max_length=200)
    decision: Literal["approve", "dismiss", "undo"]
    origin: Literal["today", "teach", "audit", "preview", "api"] = "api"


class DecidedDocument(ApiDocument):
    """What was decided, and the label as it is now."""

    number: int
    label: str
    decision: Literal["approved", "dismissed", "undone"]
    place: Literal["here", "github"]
    item: ReviewItemDocument | None = Field(description="Null where nothing was predicted of it.")
