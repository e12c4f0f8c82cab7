"""Advice: what was said beside an issue's labels, and what people call duplicates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredAdvice:
    """What was last said of an issue; `document` is one of `bot.advising.advice.Advice`."""

    number: int
    at: datetime
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class DuplicateLink:
    """People called issue `number` a duplicate of issue `original`."""

    number: int
    original: int
