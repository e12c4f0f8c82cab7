"""Labels, and the history of who set and took off which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Action = Literal["added", "removed"]
ActorKind = Literal["person", "bot", "self", "unknown"]
"""`self`: this bot. `unknown`: nobody recorded it; counts as a person's."""
EventSource = Literal["import", "webhook", "timeline", "sync", "suggestion", "write", "page"]


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
