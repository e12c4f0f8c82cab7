"""Predictions: what a release said of an issue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Decision = Literal["apply", "suggest", "abstain"]
LabelAction = Literal["set", "suggested", "none"]
"""What the bot did about a label of a prediction."""


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
