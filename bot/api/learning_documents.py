"""The documents of `/api/v1` about releases, evaluations, explanations and previews."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.api.documents import ApiDocument, PrecedentDocument, ReviewItemDocument


class GateFigureDocument(ApiDocument):
    """One metric of a release and of the one that served, on the same held-out issues."""

    metric: str
    new: float
    active: float
    worse: bool
    sentence: str


class GateDocument(ApiDocument):
    """Whether the gate let a release through, and why."""

    promote: bool
    reason: str
    n_issues: int
    figures: list[GateFigureDocument]


class ReleaseLabelDocument(ApiDocument):
    """One label of a release: what it rests on, what it promises, what it lacks."""

    name: str
    examples: int
    mode: Literal["apply", "suggest", "off"]
    threshold: float | None
    precision: float | None
    low: float | None = Field(description="The precision's lower bound.")
    missing: str = Field(description="How many more examples it needs, in words.")


class ReleaseDocument(ApiDocument):
    """A trained release."""

    id: str
    created_at: datetime
    state: str
    n_issues: int
    labels: list[ReleaseLabelDocument]
    gate: GateDocument | None


class TrainingDocument(ApiDocument):
    """How the training stands that was asked for last."""

    state: Literal["none", "waiting", "running", "done", "failed"]
    words: str
    at: datetime | None


class ReleasesDocument(ApiDocument):
    """A repository's releases, the newest first."""

    repository: str
    active: str | None
    releases: list[ReleaseDocument]
    training: TrainingDocument
    verdict: list[str] = Field(description="What to switch on, in sentences.")
    configuration: str = Field(description="The configuration file that the verdict recommends.")


class CurvePointDocument(ApiDocument):
    """A strategy's F1 after learning from so many labelled issues, with 95 % intervals."""

    n_train: float
    micro_f1: float
    micro_f1_ci: tuple[float, float]
    macro_f1: float
    macro_f1_ci: tuple[float, float]


class CurveDocument(ApiDocument):
    strategy: str
    points: list[CurvePointDocument]


class EvaluationDocument(ApiDocument):
    """The last evaluation; `at` is null where there was none."""

    repository: str
    at: datetime | None
    n_labelled: int | None
    n_test: int | None
    curves: list[CurveDocument]


class VoteDocument(ApiDocument):
    """One member's own probability."""

    strategy: str
    probability: float


class NeighbourDocument(PrecedentDocument):
    """A labelled issue near the one in question, with its labels."""

    labels: list[str]


class LabelReasonsDocument(ApiDocument):
    """Why a label has the probability that it has."""

    label: str
    probability: float
    cut: float
    decision: Literal["apply", "suggest", "abstain"]
    decided_by: str
    votes: list[VoteDocument]
    neighbours: list[NeighbourDocument]


class LabelActDocument(ApiDocument):
    """A label set on or taken off the issue."""

    at: datetime
    label: str
    action: Literal["added", "removed"]
    actor: str | None
    actor_kind: Literal["person", "bot", "self", "unknown"]
    source: str


class PredictionDocument(ApiDocument):
    at: datetime
    release: str
    mode: str


class LabelOwnersDocument(ApiDocument):
    """Whom issues of a label are for, by the configuration file."""

    label: str
    owners: list[str]


class PathOwnersDocument(ApiDocument):
    """Whom the files are for that the issue names, by CODEOWNERS."""

    pattern: str
    owners: list[str]


class AdviceDocument(ApiDocument):
    """What was last said of an issue beside its labels."""

    duplicate: PrecedentDocument | None = Field(description="The earlier issue it may repeat.")
    owners: list[LabelOwnersDocument]
    path_owners: list[PathOwnersDocument]
    assignee: str = Field(description="Login of the one person to suggest as assignee.")
    missing: str = Field(description="What the issue leaves out, in words.")
    security: list[str] = Field(description="Kinds of words that speak of a vulnerability.")


class IssueDocument(ApiDocument):
    """One issue, and everything that was said of its labels."""

    repository: str
    number: int
    title: str
    body: str
    url: str
    state: str
    author: str | None
    created_at: datetime
    labels: list[str]
    items: list[ReviewItemDocument]
    reasons: list[LabelReasonsDocument]
    history: list[LabelActDocument]
    predictions: list[PredictionDocument]
    advice: AdviceDocument


class TryOrder(BaseModel):
    """A text that need not be an issue."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=1000)
    body: str = Field(default="", max_length=65536)


class TriedDocument(ApiDocument):
    """What would be said of a text."""

    repository: str
    release: str
    labels: list[LabelReasonsDocument]


class PreviewLabelDocument(ApiDocument):
    name: str
    probability: float
    set_up_to: float | None
    suggested: bool
    on_issue: bool


class PreviewIssueDocument(ApiDocument):
    number: int
    title: str
    labels: list[PreviewLabelDocument]


class PastLabelDocument(ApiDocument):
    number: int
    title: str
    label: str
    probability: float


class PreviewTargetDocument(ApiDocument):
    """What a target precision means: labels on open issues, right and wrong ones of the past."""

    precision: float
    set: int
    suggested: int
    right: int
    wrong: int
    right_ones: list[PastLabelDocument]
    wrong_ones: list[PastLabelDocument]


class PreviewDocument(ApiDocument):
    """What it would do with the newest open issues; `ready` is false while it is worked out."""

    repository: str
    ready: bool
    release: str = ""
    configured: float = 0.9
    past: int = 0
    targets: list[PreviewTargetDocument] = Field(default_factory=list)
    issues: list[PreviewIssueDocument] = Field(default_factory=list)


class AuditItemDocument(ApiDocument):
    """A label that the other issues speak against."""

    number: int
    title: str
    label: str
    kind: Literal["wrong", "missing"]
    suspicion: float
    standing: Literal["open", "approved", "dismissed"]
    decided_by: str


class ConfusedDocument(ApiDocument):
    true: str
    given: str
    count: int
    share: float


class AuditDocument(ApiDocument):
    """Likely wrong and missing labels; `ready` is false while it is worked out."""

    repository: str
    ready: bool
    step: str = ""
    at: datetime | None = None
    items: list[AuditItemDocument] = Field(default_factory=list)
    total: int = 0
    confused: list[ConfusedDocument] = Field(default_factory=list)
