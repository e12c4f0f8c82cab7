"""Evaluations, and their finished cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EvaluationState = Literal["running", "done", "failed"]


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
