"""One request to GitHub and what came of it, as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.github.errors import BadPayload, GitHubError, Moved, RateLimited, Unreachable, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from typing import TypeAlias

    import httpx

    from bot.github.rate_limit import RateLimitWait, RequestAllowance

JSON_MEDIA_TYPE = "application/vnd.github+json"
RAW_MEDIA_TYPE = "application/vnd.github.raw+json"
GRAPHQL = "graphql"
"""Stands for the one address of GraphQL, which is not below REST's on every server."""
_STATUS_OF = {
    "RATE_LIMITED": 403,
    "FORBIDDEN": 403,
    "INSUFFICIENT_SCOPES": 403,
    "NOT_FOUND": 404,
    "UNPROCESSABLE": 422,
}
"""By the type of a GraphQL error, the status with which REST says the same."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    :ivar url: a path below the base URL, or a whole URL from GitHub's Link header.
    :ivar raw: ask for a file's bytes instead of JSON.
    :ivar name: how errors call it when the URL holds a secret, or tells nothing.
    :ivar reads: it changes nothing, although it is sent as POST.
    """

    method: str
    url: str
    params: Mapping[str, str | int] | None = None
    json: object = None
    etag: str | None = None
    raw: bool = False
    name: str = ""
    reads: bool = False

    @property
    def writes(self) -> bool:
        """It may change something, so it is sent once, at once, and nowhere else than asked.

        Whoever writes has looked before: what was seen holds for a moment only.
        """
        return self.method != "GET" and not self.reads

    @property
    def pool(self) -> str:
        """Which hourly budget it is counted against: GraphQL has one of its own."""
        return GRAPHQL if self.url == GRAPHQL else ""

    @property
    def scope(self) -> str:
        """The repository that it is about, folded; "" where it is about none."""
        path = f"/{self.url}".partition("/repos/")[2]
        return "/".join(path.split("/")[:2]).casefold()

    @property
    def what(self) -> str:
        return self.name or f"{self.method} {self.url.partition('?')[0]}"

    @property
    def headers(self) -> dict[str, str]:
        """What this request says beyond the headers that all requests share."""
        chosen = {"Accept": RAW_MEDIA_TYPE} if self.raw else {}
        return chosen | ({"If-None-Match": self.etag} if self.etag else {})


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response.

    :ivar data: the decoded JSON, or the bytes of a raw file; None when the body is empty.
    """

    status: int
    headers: httpx.Headers
    data: object = None

    @property
    def etag(self) -> str | None:
        value: str | None = self.headers.get("etag")
        return value

    @property
    def unchanged(self) -> bool:
        return self.status == 304

    @property
    def message(self) -> str:
        """GitHub's explanation in an error's body, empty where there is none."""
        message = self.data.get("message") if isinstance(self.data, dict) else None
        return message[:300] if isinstance(message, str) else ""


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No usable response.

    :ivar never_sent: the connection failed, so GitHub cannot have acted on the request.
    :ivar malformed: GitHub did answer, with a body that is cut short or not JSON.
    """

    why: str
    never_sent: bool = False
    malformed: bool = False


Outcome: TypeAlias = "Response | NoResponse"


@dataclass(frozen=True, slots=True)
class ResponseSeen:
    """What an observer is told of each response: enough for metrics, nothing private.

    :ivar clock_ahead: how far this machine's clock is ahead of GitHub's, where GitHub told its own.
    """

    method: str
    status: int
    budget: RequestAllowance | None
    clock_ahead: timedelta | None = None


def read(request: Request, response: httpx.Response) -> Outcome:
    """Decode a response's body. An error's body may be anything; a success's must be whole."""
    status, headers = response.status_code, response.headers
    if request.raw and response.is_success:
        return Response(status, headers, response.content)
    if not response.content:
        return Response(status, headers)
    try:
        data = json.loads(response.content)
    except (ValueError, RecursionError):
        if response.is_success:
            return NoResponse("a body that is cut short or not JSON", malformed=True)
        data = None
    if request.pool == GRAPHQL and response.is_success:
        status, data = _as_rest(status, data)
    return Response(status, headers, data)


def _as_rest(status: int, data: object) -> tuple[int, object]:
    """A GraphQL answer that holds errors as the refusal that REST would give."""
    errors = data.get("errors") if isinstance(data, dict) else None
    if not isinstance(errors, list) or not errors:
        return status, data
    first = errors[0] if isinstance(errors[0], dict) else {}
    kind, message = str(first.get("type") or ""), str(first.get("message") or "")
    if kind == "RATE_LIMITED":
        message = f"rate limit: {message}"
    return _STATUS_OF.get(kind, 422), {"message": message}


def accepted(request: Request, answer: Response) -> Response:
    """The answer itself when it is 2xx or 304.

    :raises Refused: any other status, as the subclass that stands for it.
    """
    if 200 <= answer.status < 300 or answer.unchanged:
        return answer
    if 300 <= answer.status < 400:
        location = answer.headers.get("location", "")
        raise Moved(request.what, answer.status, answer.message, location)
    raise refusal(request.what, answer.status, answer.message)


def given_up(request: Request, outcome: Outcome, wait: RateLimitWait, attempts: int) -> GitHubError:
    """The error for a request that is not tried again for now."""
    if wait.reason != "server":
        return RateLimited(request.what, wait.until, wait.reason)
    if isinstance(outcome, NoResponse) and outcome.malformed:
        return BadPayload(f"{request.what}: {outcome.why}, in {attempts} attempt(s); retry later")
    never_sent = isinstance(outcome, NoResponse) and outcome.never_sent
    return Unreachable(
        request.what,
        outcome.why if isinstance(outcome, NoResponse) else f"status {outcome.status}",
        wait.until,
        attempts=attempts,
        may_have_happened=request.writes and not never_sent,
    )
