"""Releases: where their files are, what they come of, what the gate decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.records.issues import TargetKind
    from tagger.monitoring.gate import GateDecision

ReleaseState = Literal["staged", "active", "retired", "refused"]
PromotionKind = Literal["promote", "rollback"]


@dataclass(frozen=True, slots=True)
class ComparedOn:
    """What it takes to compare the same two releases once more, with the labels as they were.

    :ivar against: the release that served then.
    :ivar labels: of the repository then; `issues` speak of them by place.
    :ivar renames: folded former name → name then.
    :ivar issues: numbers of the issues compared on, each with the places of its labels.
    """

    against: str
    labels: tuple[str, ...]
    renames: Mapping[str, str]
    issues: tuple[tuple[int, tuple[int, ...]], ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        issues = tuple((number, tuple(places)) for number, places in stored["issues"])
        return cls(stored["against"], tuple(stored["labels"]), stored.get("renames", {}), issues)


@dataclass(frozen=True, slots=True)
class ReleaseProvenance:
    """What a release comes of: what the next comparison must know to be fair.

    :ivar learned_from: numbers of issues that it owes something to, though they might be held out.
    :ivar held_out: how many issues were kept out of its training.
    :ivar events_until: the newest label act that its training knew of; None where nobody wrote it
        down.
    :ivar replay: None where it was compared with no other.
    """

    learned_from: tuple[int, ...] = ()
    held_out: int = 0
    events_until: int | None = None
    replay: ComparedOn | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        replay = stored.get("replay")
        return cls(
            tuple(stored.get("learned_from", ())),
            stored.get("held_out", 0),
            stored.get("events_until"),
            ComparedOn.from_json(replay) if replay else None,
        )


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A release as `retrain` hands it over; `location` is a folder or an fsspec URL.

    :ivar target: what it labels; one that is kept already stays what it is.
    """

    id: str
    created_at: datetime
    location: str
    digest: str
    manifest: Mapping[str, Any] = field(repr=False)
    gate: GateDecision | None = field(default=None, repr=False)
    provenance: ReleaseProvenance = field(default=ReleaseProvenance(), repr=False)
    target: TargetKind = "issues"


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
    gate: GateDecision | None = field(default=None, repr=False)
    provenance: ReleaseProvenance = field(default=ReleaseProvenance(), repr=False)
    target: TargetKind = "issues"

    @property
    def gate_reason(self) -> str | None:
        """Why the gate let it through or did not; None where it was never asked."""
        return None if self.gate is None else self.gate.reason
