"""Outcomes: what people said to what the bot said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from store.records.predictions import Decision, LabelAction

Answer = Literal["confirmed", "removed", "dismissed", "added", "none"]
"""What people said to a label: see `LabelOutcome`."""


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
