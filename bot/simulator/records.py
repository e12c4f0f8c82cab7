"""What the simulator remembers: people, repositories, issues and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

ROLES = ("none", "read", "triage", "write", "maintain", "admin")


class SimulatorError(Exception):
    """A refusal, as GitHub would answer it."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(f"{status}: {message}")


class SuggestionMode(StrEnum):
    """What a repository does with `suggest: true`; only ON is documented by GitHub."""

    ON = "on"
    REFUSED = "refused"  # 422
    APPLIED = "applied"  # the flag is ignored and the label set outright: the worst case


class AutomationLevel(StrEnum):
    """From which confidence on a repository lets an automated change through, without a person."""

    FULL_CONTROL = "full control"  # nothing
    CAUTIOUS = "cautious"  # high, GitHub's default
    BALANCED = "balanced"  # medium
    FULL_AUTOMATION = "full automation"  # low

    def applies(self, confidence: str) -> bool:
        """Whether a change of this confidence ("low", "medium", "high") needs no approval."""
        order = list(AutomationLevel)
        return order.index(self) >= 3 - ("low", "medium", "high").index(confidence)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a bot or an organisation."""

    login: str
    id: int
    type: str = "User"


@dataclass(slots=True)
class SimulatedLabel:
    id: int
    name: str
    description: str = ""
    color: str = "ededed"


@dataclass(frozen=True, slots=True)
class SimulatedField:
    """A field of an organisation's issues."""

    id: int
    name: str
    data_type: str
    options: tuple[str, ...]


@dataclass(slots=True)
class EventRecord:
    """One entry of a timeline. `detail` holds what only this kind of event has."""

    id: int
    event: str
    actor: Actor
    created_at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    via_app: str | None = None


@dataclass(slots=True)
class SimulatedComment:
    id: int
    author: Actor
    body: str
    created_at: datetime
    updated_at: datetime
    issue_number: int


@dataclass(slots=True)
class SimulatedSuggestion:
    """A suggestion; `label` holds id and name of the type, or person, that it is of otherwise."""

    id: int
    label: SimulatedLabel
    actor: Actor
    created_at: datetime
    updated_at: datetime
    rationale: str | None = None
    confidence: str | None = None
    state: str = "pending"
    resolved_by: Actor | None = None
    issue_event_id: int | None = None
    action: str = "add_label"


@dataclass(slots=True)
class SimulatedIssue:
    number: int
    id: int
    title: str
    body: str | None
    author: Actor
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    pull_request: bool = False
    category: str | None = None
    paths: tuple[str, ...] = ()
    locked: bool = False
    type: str | None = None
    fields: dict[SimulatedField, str] = field(default_factory=dict)
    labels: list[SimulatedLabel] = field(default_factory=list)
    assignees: list[Actor] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    comments: list[SimulatedComment] = field(default_factory=list)
    suggestions: list[SimulatedSuggestion] = field(default_factory=list)

    @property
    def label_names(self) -> list[str]:
        return [label.name for label in self.labels]

    def carries(self, name: str) -> bool:
        return name.lower() in {label.name.lower() for label in self.labels}


@dataclass(slots=True)
class SimulatedCheckRun:
    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    output: dict[str, Any]


@dataclass(slots=True)
class SimulatedRepository:
    """A repository; labels are keyed by lower-case name, as GitHub compares them."""

    id: int
    full_name: str
    owner: Actor
    private: bool = False
    default_branch: str = "main"
    labels: dict[str, SimulatedLabel] = field(default_factory=dict)
    issues: dict[int, SimulatedIssue] = field(default_factory=dict)
    last_number: int = 0
    files: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    check_runs: dict[int, SimulatedCheckRun] = field(default_factory=dict)
    suggestions: SuggestionMode = SuggestionMode.ON
    automation: AutomationLevel = AutomationLevel.CAUTIOUS
    head: str = "0" * 40
    archived: bool = False
    types: list[str] = field(default_factory=list)

    def next_number(self) -> int:
        """A number that no issue has or has ever had."""
        return max(self.last_number, max(self.issues, default=0)) + 1

    def role(self, login: str) -> str:
        """What a login may do: readers are everybody where the repository is public."""
        if login == self.owner.login:
            return "admin"
        return self.roles.get(login, "none" if self.private else "read")


@dataclass(slots=True)
class Delivery:
    """A webhook that GitHub sends, and the answer it got.

    :ivar guid: X-GitHub-Delivery; a redelivery keeps it.
    :ivar dropped: its payload is not told any more.
    :ivar status_code: None until it was sent; 0 where no answer came.
    """

    id: int
    guid: str
    event: str
    payload: dict[str, Any]
    created_at: datetime
    repository_id: int | None = None
    installation_id: int | None = None
    redelivery: bool = False
    dropped: bool = False
    status_code: int | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request that reached the simulator. Of credentials, only whose they are is kept.

    :ivar headers: all but Authorization, names in lower case.
    :ivar actor: the login that the credentials stand for, "" for none.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any
    actor: str
    status: int

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers
