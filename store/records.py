"""The values that go into the store and come out of it: frozen, and free of SQL.

Every `datetime` is aware; the store hands back UTC. `repository_id`, `issue_id` and other ids are
the store's own; GitHub's are called `number`, `github_id`, `guid`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Action = Literal["added", "removed"]
ActorKind = Literal["person", "bot", "self", "unknown"]
"""`self`: this bot. `unknown`: nobody recorded it; counts as a person's."""
EventSource = Literal["import", "webhook", "timeline", "sync", "suggestion", "write"]
DeliveryState = Literal["pending", "running", "done", "failed", "ignored"]
Decision = Literal["apply", "suggest", "abstain"]
LabelAction = Literal["set", "suggested", "none"]
"""What the bot did about a label of a prediction."""
Answer = Literal["confirmed", "removed", "dismissed", "added", "none"]
"""What people said to a label: see `LabelOutcome`."""
WriteRunKind = Literal["webhook", "backfill", "undo"]
WriteForm = Literal["label", "suggestion", "comment"]
WriteState = Literal["intended", "written", "undone", "left", "approved", "dismissed"]
ReleaseState = Literal["staged", "active", "retired", "refused"]
EvaluationState = Literal["running", "done", "failed"]
BEING_MADE = -1
"""In place of the number of what the bot is about to make on GitHub: after a crash it looks."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and what the bot knows of it.

    :ivar cursors: where sync stopped.
    :ivar holdout_key: by what issues are drawn for the gate; None before the first training.
    :ivar report_issue: number of the issue that shows the report; `BEING_MADE`; None for none.
    :ivar no_suggestions_since: when GitHub was found to have no label suggestions here.
    :ivar left_at: when the bot lost its right to act here, `left_because` why; None: it has it.
    :ivar configuration: as last read. A document of `bot.configuration.effective.Reading`; so are
        the next three of a class each: `IntakeRules`, `LabelList`, `ShownNotice`. None: there is
        none yet.
    """

    id: int
    full_name: str
    github_id: int | None
    created_at: datetime
    cursors: Mapping[str, Any] = field(repr=False)
    holdout_key: str | None = None
    report_issue: int | None = None
    no_suggestions_since: datetime | None = None
    left_at: datetime | None = None
    left_because: str | None = None
    configuration: Mapping[str, Any] | None = field(default=None, repr=False)
    intake_rules: Mapping[str, Any] | None = field(default=None, repr=False)
    label_list: Mapping[str, Any] | None = field(default=None, repr=False)
    configuration_notice: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """A label as GitHub lists it."""

    name: str
    description: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A label as kept; `former_names` from its first name on, the present one left out."""

    id: int
    name: str
    description: str
    color: str
    deleted_at: datetime | None
    former_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """An issue or pull request as it came in.

    :ivar filed_title: the title as filed, where an `edited` payload tells it (`changes.title`);
        None: the present title, unless the store knows an earlier one. `filed_body` likewise.
    :ivar locked: the conversation; None where it is not told, as in a file. `type` likewise: the
        name of the native type, "" for none.
    """

    number: int
    title: str
    body: str
    labels: tuple[str, ...]
    created_at: datetime
    is_pull_request: bool = False
    state: str = "open"
    author: str | None = None
    author_association: str | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    filed_title: str | None = None
    filed_body: str | None = None
    github_id: int | None = None
    locked: bool | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """An issue as kept: as filed and as it is now.

    :ivar type: name of its native type, "" for none.
    :ivar answer_comment_id: the bot's comment that answers commands; `BEING_MADE`; None for none.
    :ivar suggestion_comment_id: the bot's comment that suggests labels; None for none.
    :ivar opted_out_at: when a person last said that the bot is to leave the issue alone.
    :ivar opted_in_at: when a person last asked the bot to label it again.
    """

    id: int
    repository_id: int
    number: int
    is_pull_request: bool
    filed_title: str
    filed_body: str = field(repr=False)
    title: str
    body: str = field(repr=False)
    labels: tuple[str, ...]
    state: str
    author: str | None
    author_association: str | None
    created_at: datetime
    updated_at: datetime | None
    closed_at: datetime | None
    locked: bool
    type: str
    github_id: int | None = None
    answer_comment_id: int | None = None
    suggestion_comment_id: int | None = None
    opted_out_at: datetime | None = None
    opted_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert did.

    A row older than what is stored, or of an issue that was deleted, counts as unchanged.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        return UpsertCounts(
            self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged
        )


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """An issue as filed with what may be learned from its labels.

    :ivar labels: on the issue now and set or confirmed by a person.
    :ivar unconfirmed: on the issue now, set by a bot, confirmed by nobody.
    :ivar refused: taken off or dismissed by a person.
    :ivar declined: those of them that this bot had set or suggested: explicit negatives.
    """

    number: int
    title: str
    body: str = field(repr=False)
    labels: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    refused: tuple[str, ...]
    is_pull_request: bool
    author: str | None
    created_at: datetime
    declined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """A label set on or taken off an issue.

    :ivar key: names the act at its source (timeline event id, delivery GUID), so that recording
        it again changes nothing; empty: label, action and time name it.
    """

    number: int
    label: str
    action: Action
    at: datetime
    actor: str | None = None
    actor_kind: ActorKind = "unknown"
    source: EventSource = "webhook"
    key: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A webhook delivery as it arrives.

    :ivar guid: `X-GitHub-Delivery`.
    :ivar due_at: not worked on before; None: at once.
    :ivar ignored: kept for the record only, never handed to a worker.
    :ivar aside: does not queue behind the issue's other deliveries, which may wait for long.
    """

    guid: str
    event: str
    payload: dict[str, Any] = field(repr=False)
    received_at: datetime
    action: str | None = None
    repository: str | None = None
    issue_number: int | None = None
    due_at: datetime | None = None
    ignored: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery in a worker's hands until `lease_until`; `attempts` counts this one."""

    id: int
    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    payload: dict[str, Any] = field(repr=False)
    attempts: int
    received_at: datetime
    worker: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery and how far its work has come; the payload is None once purged."""

    id: int
    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    payload: dict[str, Any] | None = field(repr=False)
    state: DeliveryState
    attempts: int
    error: str | None
    received_at: datetime
    due_at: datetime
    lease_until: datetime | None
    claimed_by: str | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A delivery that is not tried again by itself.

    :ivar error: why its last attempt failed.
    :ivar has_payload: it can be tried again; False: what it told was dropped since.
    """

    guid: str
    event: str
    action: str | None
    repository: str | None
    issue_number: int | None
    attempts: int
    error: str | None
    received_at: datetime
    finished_at: datetime | None
    has_payload: bool


@dataclass(frozen=True, slots=True)
class PredictedLabel:
    """One label's part of a prediction, as in `tag --json`.

    :ivar votes: score by strategy.
    :ivar neighbours: nearest labelled issues, each a JSON object.
    :ivar drawn: "audit" for every label of an issue that chance drew for the audit, "budget"
        where the weekly budget put the question before people.
    :ivar action: what the bot did about it; None where that was not recorded.
    :ivar inclusion: probability, in (0, 1], with which the audit put just this question before
        people; None where it did not.
    """

    name: str
    score: float
    cut: float
    decision: Decision
    decided_by: str
    votes: Mapping[str, float] = field(default_factory=dict)
    neighbours: tuple[Mapping[str, Any], ...] = ()
    drawn: str | None = None
    action: LabelAction | None = None
    inclusion: float | None = None


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """What a release said of an issue; `delivery_id` is `ClaimedDelivery.id`.

    :ivar inclusion: probability with which the audit drew the issue; None where it did not.
    :ivar informativeness: of the most informative question about the issue, in [0, 1];
        None where no question could be asked.
    """

    repository_id: int
    number: int
    release: str
    at: datetime
    mode: str
    labels: tuple[PredictedLabel, ...]
    delivery_id: int | None = None
    inclusion: float | None = None
    informativeness: float | None = None


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction as kept; labels by falling score, the rest as in `PredictionRecord`."""

    id: int
    number: int
    release: str
    at: datetime
    mode: str
    delivery_id: int | None
    labels: tuple[PredictedLabel, ...]
    inclusion: float | None = None
    informativeness: float | None = None


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What the bot said and did about one label of one issue, and what people said to it.

    :ivar label: its name today.
    :ivar decision: the release's; `action` is what the bot then did about it.
    :ivar drawn: "audit", "budget" or None, see `PredictedLabel`.
    :ivar inclusion: probability with which the audit put this question before people.
    :ivar issue_inclusion: probability with which the audit drew the issue, for every label of it.
    :ivar answer: `confirmed`: set or suggested by the bot, and a person set it, approved it, or
        kept it while editing the issue's labels; `removed`: a person took it off last;
        `dismissed`: suggested, and a person turned it down; `added`: a person set it, of whom
        the bot had not asked it; `none`: nobody said anything yet.
    :ivar answered_at: when; None without an answer, and where nobody recorded it.
    :ivar reviewed_at: when a person last edited labels of the issue, or answered a suggestion,
        since the bot spoke; from then on a label that is not there was not wanted.
    """

    number: int
    label: str
    release: str
    at: datetime
    score: float
    cut: float
    decision: Decision
    action: LabelAction
    drawn: str | None
    inclusion: float | None
    issue_inclusion: float | None
    answer: Answer
    answered_at: datetime | None
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A label that the weekly budget asked about; `neighbours` are the issues it was judged by."""

    label: str
    at: datetime
    neighbours: frozenset[int]


@dataclass(frozen=True, slots=True)
class WriteRun:
    """A run of writes: what `undo RUN` takes back together."""

    id: int
    repository_id: int
    kind: WriteRunKind
    started_at: datetime
    finished_at: datetime | None
    delivery_id: int | None
    undoes: int | None
    detail: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Write:
    """A label that the bot means to set or has set; `external_id` is GitHub's, where it has one.

    :ivar reason: why it was left or taken back, or is about to be taken back.
    """

    id: int
    run_id: int
    number: int
    label: str
    form: WriteForm
    state: WriteState
    reason: str
    external_id: str | None
    at: datetime

    @property
    def is_being_taken_back(self) -> bool:
        """Whether the bot is about to take the label off, or has and did not come to record it."""
        return self.state in {"intended", "written"} and bool(self.reason)


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A release as `retrain` hands it over; `location` is a folder or an fsspec URL."""

    id: str
    created_at: datetime
    location: str
    digest: str
    manifest: Mapping[str, Any] = field(repr=False)
    gate: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A release as kept."""

    repository_id: int
    id: str
    created_at: datetime
    location: str
    digest: str
    state: ReleaseState
    manifest: Mapping[str, Any] = field(repr=False)
    gate: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """An evaluation as kept; `report` is there once it is done."""

    id: int
    repository_id: int
    kind: str
    fingerprint: str
    settings: Mapping[str, Any] = field(repr=False)
    state: EvaluationState
    started_at: datetime
    finished_at: datetime | None
    report: Mapping[str, Any] | None = field(repr=False)
    error: str | None


@dataclass(frozen=True, slots=True)
class EvaluationCell:
    """A finished cell; `scores` holds raw bytes (say, test scores) that JSON should not."""

    key: str
    result: Mapping[str, Any]
    scores: bytes | None = field(default=None, repr=False)
