"""Repositories, and what the bot knows of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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
    :ivar configuration: as last read: a document of `bot.configuration.last_reading.Reading`. The
        next are documents of `IntakeRules`, `LabelList`, `ShownNotice` and, `duplicates`, of
        `bot.advising.duplicates.DuplicateThreshold`. None: none yet.
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
    duplicates: Mapping[str, Any] | None = field(default=None, repr=False)
