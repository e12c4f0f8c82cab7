"""Tokens of scripts: what they may do, and where; the token itself is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

TokenRole = Literal["triage", "admin"]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """What a script may do in one repository until a moment."""

    id: int
    name: str
    repository_id: int
    role: TokenRole
    created_at: datetime
    expires_at: datetime
