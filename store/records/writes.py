"""Writes: what the bot has set or suggested, run by run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

WriteRunKind = Literal["webhook", "backfill", "teaching", "undo"]
WriteForm = Literal["label", "suggestion", "comment"]
WriteState = Literal["intended", "written", "undone", "left", "approved", "dismissed"]


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
