"""What can go wrong on GitHub's side, to be queued by a test, and the hourly budget of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class NetworkFault(StrEnum):
    """A fault that is no HTTP response."""

    TIMEOUT = "timeout"  # accepted, never answered
    CLOSED = "closed"  # the connection ends before an answer
    HALF = "half"  # the answer's body is cut in the middle


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next matching request gets instead of its answer.

    :ivar method, path: which request; empty matches all, a path by its ending.
    :ivar after_acting: the request is carried out first, and then the answer is lost.
    """

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    network_fault: NetworkFault | None = None
    method: str = ""
    path: str = ""
    after_acting: bool = False

    @property
    def acts(self) -> bool:
        """The request is carried out all the same, and only its answer suffers."""
        return self.after_acting or self.network_fault is NetworkFault.HALF

    def matches(self, method: str, path: str) -> bool:
        return self.method in {"", method} and path.endswith(self.path)


def server_error(status: int = 500) -> Fault:
    return Fault(status)


def secondary_limit(retry_after: int | None = None, status: int = 403) -> Fault:
    """GitHub's answer to too many requests at once, with or without Retry-After (seconds)."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Fault(status, headers, "You have exceeded a secondary rate limit. Please wait.")


def network_fault(kind: NetworkFault, *, after_acting: bool = False) -> Fault:
    return Fault(network_fault=kind, after_acting=after_acting)


@dataclass(slots=True)
class RequestBudget:
    """GitHub's primary rate limit for one identity."""

    limit: int = 5000
    remaining: int = 5000
    reset_at: datetime | None = None

    def refresh(self, now: datetime) -> None:
        """Start a new hour when the last one is over."""
        if self.reset_at is None:
            self.reset_at = now + timedelta(hours=1)
        elif now >= self.reset_at:
            self.remaining, self.reset_at = self.limit, now + timedelta(hours=1)

    def headers(self) -> dict[str, str]:
        reset = int(self.reset_at.timestamp()) if self.reset_at else 0
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(self.limit - self.remaining),
            "x-ratelimit-reset": str(reset),
            "x-ratelimit-resource": "core",
        }
