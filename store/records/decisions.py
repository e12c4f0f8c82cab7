"""Decisions: what people said on a page about a label of an issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

ReviewVerdict = Literal["approved", "dismissed", "skipped"]
"""`skipped`: the issue was put aside while teaching, and no label was named."""
ReviewOrigin = Literal["today", "teach", "audit", "preview", "api"]
ReviewPlace = Literal["here", "github"]
ReviewEffect = Literal["none", "added", "removed", "accepted", "turned down"]
"""What it did to the issue: a label set or taken off, GitHub's own suggestion accepted or not."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as it is made.

    :ivar label: "" where an issue was skipped.
    :ivar place: `here` until GitHub has been told.
    """

    number: int
    label: str
    verdict: ReviewVerdict
    origin: ReviewOrigin
    actor: str
    at: datetime
    place: ReviewPlace = "here"
    effect: ReviewEffect = "none"


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as kept; the fields as in `DecisionRecord`.

    :ivar run_id: the run of writes that carried it to GitHub, where one did.
    """

    id: int
    repository_id: int
    number: int
    label: str
    verdict: ReviewVerdict
    origin: ReviewOrigin
    actor: str
    at: datetime
    place: ReviewPlace
    effect: ReviewEffect
    undone_at: datetime | None
    run_id: int | None


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """How many issues were answered and skipped while teaching, and are decided on here alone."""

    answered: int
    skipped: int
    local: int
