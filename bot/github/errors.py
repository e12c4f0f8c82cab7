"""Everything `bot.github` raises on purpose.

GitHubError
├── RateLimited         GitHub said to come back later; `retry_at` says when
├── Unreachable         no answer, or 5xx, after every attempt; `retry_at` proposes when
├── BadPayload          an answer or a webhook body that is not what GitHub documents
└── Refused             an answer that says no, with its status and GitHub's message
    ├── BadRequest      400: most likely an API version that this GitHub does not know
    ├── Unauthorized    401: the token or the App's key is wrong or expired
    ├── Forbidden       403: the credentials are fine, the permission is missing
    ├── NotFound        404: no such thing, or not visible with these credentials
    ├── Gone            410: deleted, or issues are switched off
    ├── Invalid         422: GitHub understood the request and rejects its content
    └── Moved           the repository or issue lives elsewhere and the request may not follow
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class GitHubError(Exception):
    """The root: a message for people that says what was got, what was expected, what to do."""


class RateLimited(GitHubError):
    """The wait that GitHub asks for is longer than the client may wait.

    :ivar retry_at: when to come back, an aware datetime.
    :ivar reason: "primary" (the hourly budget) or "secondary" (too many at once).
    """

    def __init__(self, what: str, retry_at: datetime, reason: str) -> None:
        self.retry_at = retry_at
        self.reason = reason
        super().__init__(
            f"{what}: GitHub's {reason} rate limit is reached; retry at {retry_at.isoformat()}"
        )


class Unreachable(GitHubError):
    """GitHub did not answer, or answered with 5xx, as often as the client may try.

    :ivar retry_at: a sensible time to come back, an aware datetime.
    :ivar may_have_happened: the request may have been carried out although no answer came.
    """

    def __init__(
        self, what: str, why: str, retry_at: datetime, *, attempts: int, may_have_happened: bool
    ) -> None:
        self.retry_at = retry_at
        self.attempts = attempts
        self.may_have_happened = may_have_happened
        super().__init__(
            f"{what}: no usable answer from GitHub after {attempts} attempt(s), last: {why}; "
            f"check the network and githubstatus.com, retry at {retry_at.isoformat()}"
        )


class BadPayload(GitHubError):
    """JSON, text or headers that GitHub does not document."""


class Refused(GitHubError):
    """GitHub answered and said no.

    :ivar status: the HTTP status.
    :ivar message: GitHub's own words, empty when it gave none.
    """

    advice = "see the message for what GitHub did not accept"

    def __init__(self, what: str, status: int, message: str = "") -> None:
        self.status = status
        self.message = message
        words = f" ({message})" if message else ""
        super().__init__(f"{what}: GitHub answered {status}{words}; {self.advice}")


class BadRequest(Refused):
    advice = "where it does not know the API version, set GITHUB_API_VERSION to an older one"


class Unauthorized(Refused):
    advice = "check GITHUB_TOKEN, or the App's id and private key, and this machine's clock"


class Forbidden(Refused):
    advice = "grant the App or token the permission this request needs"


class NotFound(Refused):
    advice = "check the name, and that the App is installed there or the token may read it"


class Gone(Refused):
    advice = "it was deleted or issues are switched off; leave it out"


class Invalid(Refused):
    advice = "the request's content is not acceptable there; see the message"


class Moved(Refused):
    """:ivar location: where the resource lives now, empty when GitHub did not say."""

    advice = "the repository was renamed or the issue transferred; sync, then use its new name"

    def __init__(self, what: str, status: int, message: str = "", location: str = "") -> None:
        self.location = location
        super().__init__(what, status, message)


_BY_STATUS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: Gone,
    422: Invalid,
}


def refusal(what: str, status: int, message: str = "") -> Refused:
    """The error that stands for an HTTP status of 400 or more."""
    return _BY_STATUS.get(status, Refused)(what, status, message)
