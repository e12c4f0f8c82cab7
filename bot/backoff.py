"""How long to wait before trying again: doubled for each attempt, up to a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

MAX_DOUBLINGS = 16
"""Beyond this any pause is at its bound, and a power of two would only grow large."""


def backoff(first: timedelta, attempt: int, longest: timedelta) -> timedelta:
    """`first` after attempt 0, twice as long after each further one, `longest` at most."""
    return min(first * (1 << min(max(attempt, 0), MAX_DOUBLINGS)), longest)
