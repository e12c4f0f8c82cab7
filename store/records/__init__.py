"""The values that go into the store and come out of it: frozen, and free of SQL. A file each owner.

Every `datetime` is aware; the store hands back UTC. `repository_id`, `issue_id` and other ids are
the store's own; GitHub's are called `number`, `github_id`, `guid`. Every room above comes in here.
"""

from store.records.advice import DuplicateLink, StoredAdvice
from store.records.decisions import (
    DecisionCounts,
    DecisionRecord,
    ReviewEffect,
    ReviewOrigin,
    ReviewPlace,
    ReviewVerdict,
    StoredDecision,
)
from store.records.deliveries import (
    ClaimedDelivery,
    DeliveryRecord,
    DeliveryState,
    GivenUp,
    StoredDelivery,
)
from store.records.evaluations import EvaluationCell, EvaluationRun, EvaluationState
from store.records.issues import (
    OTHER_KINDS,
    IssueRecord,
    StoredIssue,
    TargetKind,
    TrainingRow,
    UpsertCounts,
    target_of,
)
from store.records.labels import (
    Action,
    ActorKind,
    EventSource,
    LabelEvent,
    LabelRecord,
    StoredLabel,
)
from store.records.outcomes import Answer, LabelOutcome
from store.records.predictions import (
    Decision,
    LabelAction,
    PredictedLabel,
    PredictionRecord,
    StoredPrediction,
)
from store.records.questions import AskedQuestion
from store.records.releases import (
    ComparedOn,
    PromotionKind,
    ReleaseProvenance,
    ReleaseRecord,
    ReleaseState,
    StoredRelease,
)
from store.records.repositories import BEING_MADE, Repository
from store.records.tasks import ClaimedTask, Lease, StoredTask, TaskState
from store.records.tokens import StoredToken, TokenRole
from store.records.writes import Write, WriteForm, WriteRun, WriteRunKind, WriteState

__all__ = (
    "BEING_MADE",
    "OTHER_KINDS",
    "Action",
    "ActorKind",
    "Answer",
    "AskedQuestion",
    "ClaimedDelivery",
    "ClaimedTask",
    "ComparedOn",
    "Decision",
    "DecisionCounts",
    "DecisionRecord",
    "DeliveryRecord",
    "DeliveryState",
    "DuplicateLink",
    "EvaluationCell",
    "EvaluationRun",
    "EvaluationState",
    "EventSource",
    "GivenUp",
    "IssueRecord",
    "LabelAction",
    "LabelEvent",
    "LabelOutcome",
    "LabelRecord",
    "Lease",
    "PredictedLabel",
    "PredictionRecord",
    "PromotionKind",
    "ReleaseProvenance",
    "ReleaseRecord",
    "ReleaseState",
    "Repository",
    "ReviewEffect",
    "ReviewOrigin",
    "ReviewPlace",
    "ReviewVerdict",
    "StoredAdvice",
    "StoredDecision",
    "StoredDelivery",
    "StoredIssue",
    "StoredLabel",
    "StoredPrediction",
    "StoredRelease",
    "StoredTask",
    "StoredToken",
    "TargetKind",
    "TaskState",
    "TokenRole",
    "TrainingRow",
    "UpsertCounts",
    "Write",
    "WriteForm",
    "WriteRun",
    "WriteRunKind",
    "WriteState",
    "target_of",
)
