"""Questions: what the weekly budget asked people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A label that the weekly budget asked about; `neighbours` are the issues it was judged by."""

    label: str
    at: datetime
    neighbours: frozenset[int]
