"""How long GitHub asks us to wait: from a status and its headers to a point in time. No I/O.

The rules: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from bot.backoff import backoff

if TYPE_CHECKING:
    from collections.abc import Mapping

Reason = Literal["primary", "secondary", "server"]

# "wait for at least one minute before retrying", then exponentially longer
SECONDARY_PAUSE = timedelta(minutes=1)
SERVER_PAUSE = timedelta(seconds=1)
MIN_PAUSE = timedelta(seconds=1)
# A budget is hourly; a header that says more than a day is damaged, not patient.
MAX_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RateLimitWait:
    """Nothing should be sent before `until`, an aware datetime on this machine's clock."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class RequestAllowance:
    """The hourly budget of requests as a response's headers state it."""

    limit: int
    remaining: int
    reset_at: datetime


def wait_after(
    status: int, headers: Mapping[str, str], now: datetime, attempt: int, message: str = ""
) -> RateLimitWait | None:
    """What a response asks for, or None when it is an answer to use.

    :param now: this machine's time when the response came.
    :param attempt: 0 for the first try; a repeated secondary limit or 5xx doubles the pause.
    :param message: the body's `message`: a secondary limit may announce itself only there.
    """
    if status >= 500:
        return RateLimitWait(
            now + (_retry_after(headers, now) or backoff(SERVER_PAUSE, attempt, MAX_PAUSE)),
            "server",
        )
    if status not in {403, 429}:
        return None
    if pause := _retry_after(headers, now):
        return RateLimitWait(now + pause, "secondary")
    if (request_allowance := budget(headers, now)) and request_allowance.remaining == 0:
        return RateLimitWait(request_allowance.reset_at, "primary")
    if status == 429 or _names_a_limit(message):
        return RateLimitWait(now + backoff(SECONDARY_PAUSE, attempt, MAX_PAUSE), "secondary")
    return None


def wait_after_failure(now: datetime, attempt: int) -> RateLimitWait:
    """What to do when no response came at all."""
    return RateLimitWait(now + backoff(SERVER_PAUSE, attempt, MAX_PAUSE), "server")


def budget(headers: Mapping[str, str], now: datetime) -> RequestAllowance | None:
    """The hourly budget, or None where the response does not state it (Enterprise may not)."""
    limit, remaining, reset = (
        _number(headers.get(f"x-ratelimit-{part}")) for part in ("limit", "remaining", "reset")
    )
    if remaining is None or reset is None:
        return None
    # Counted on GitHub's clock, then laid on ours: neither clock needs to be right.
    until_reset = _bounded(reset - _github_time(headers, now).timestamp())
    return RequestAllowance(limit or 0, remaining, now + until_reset)


def clock_ahead(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far our clock is ahead of GitHub's, to a second or so; None where it tells no time."""
    theirs = _http_date(headers.get("date", ""))
    return None if theirs is None else now - theirs


def _names_a_limit(message: str) -> bool:
    lowered = message.lower()
    return "rate limit" in lowered or "abuse detection" in lowered


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return _bounded(seconds)
    moment = _http_date(value)
    return _bounded((moment - _github_time(headers, now)).total_seconds()) if moment else None


def _github_time(headers: Mapping[str, str], now: datetime) -> datetime:
    return _http_date(headers.get("date", "")) or now


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bounded(seconds: float) -> timedelta:
    longest = MAX_PAUSE.total_seconds()
    return timedelta(seconds=min(max(seconds, MIN_PAUSE.total_seconds()), longest))


def _number(value: str | None) -> int | None:
    # int() would also take "1_000" and other digits than ASCII's
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
        return None
    return int(value)
