"""Sends one request to GitHub until there is an answer to use, or a reason to stop.

Rate limits, 5xx and lost connections are waited out here and nowhere else. Time and sleep come
from outside, so tests neither wait nor patch. Tokens and bodies are never logged.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from bot.github.api_version import API_VERSION, VERSION_HEADER
from bot.github.errors import BadPayload, RateLimited
from bot.github.exchange import (
    GRAPHQL,
    JSON_MEDIA_TYPE,
    NoResponse,
    Outcome,
    Request,
    Response,
    ResponseSeen,
    accepted,
    given_up,
    read,
)
from bot.github.rate_limit import RateLimitWait, budget, clock_ahead, wait_after, wait_after_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEFAULT_API = "https://api.github.com"
_MAX_REDIRECTS = 3
_EVERYTHING = ""
"""The scope of a pause that holds for all that an identity asks."""
_GRAPHQL = "(graphql)"
"""The scope of a pause until GraphQL's own budget is filled again."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class AuthenticationFailed(Exception):
    """An `httpx.Auth` did not get its token; `response` is GitHub's answer to asking for it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        super().__init__(f"no token: status {response.status_code}")


@dataclass(frozen=True)
class RetryPolicy:
    """How long a request may be tried, and by which clock.

    :ivar longest_wait: a longer wait raises instead, with the time to come back.
    :ivar attempts: requests sent for one call, the first included.
    :ivar in_all: once a call has taken so long it is not tried again.
    :ivar clock: aware datetimes.
    :ivar sleep: takes seconds.
    """

    longest_wait: timedelta = timedelta(seconds=60)
    attempts: int = 4
    in_all: timedelta = timedelta(minutes=4)
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def exceeded_by(self, wait: RateLimitWait) -> bool:
        return wait.until - self.clock() > self.longest_wait

    def used_up(self, attempts: int, since: datetime) -> bool:
        return attempts >= self.attempts or self.clock() - since >= self.in_all

    async def sit_out(self, wait: RateLimitWait) -> None:
        await self.sleep(max((wait.until - self.clock()).total_seconds(), 0.0))


def open_http(
    base_url: str = DEFAULT_API,
    transport: httpx.AsyncBaseTransport | None = None,
    user_agent: str = "issue-tagger",
    api_version: str = API_VERSION,
) -> httpx.AsyncClient:
    """A pool of connections to one GitHub; for Enterprise the base URL ends in /api/v3."""
    return httpx.AsyncClient(
        base_url=base_url.rstrip("/") + "/",
        transport=transport,
        timeout=httpx.Timeout(20.0, connect=5.0),
        headers={
            "Accept": JSON_MEDIA_TYPE,
            VERSION_HEADER: api_version,
            "User-Agent": user_agent,
        },
    )


class Connection:
    """A pool of connections under one identity, whose rate limits it minds.

    :ivar observer: told of every response, for metrics.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: httpx.Auth | None = None,
        patience: RetryPolicy | None = None,
        observer: Callable[[ResponseSeen], None] | None = None,
    ) -> None:
        self._http = http
        self._auth = auth
        self._patience = patience or RetryPolicy()
        self._observer = observer
        self._pauses: dict[str, tuple[datetime, RateLimitWait]] = {}

    def speaking_as(self, auth: httpx.Auth | None) -> Connection:
        """The same pool under another identity, which has rate limits of its own."""
        return Connection(self._http, auth, self._patience, self._observer)

    async def aclose(self) -> None:
        """Close the pool, for every identity that shares it."""
        await self._http.aclose()

    async def send(self, request: Request) -> Response:
        """The answer: 2xx, or 304 to a conditional request.

        A write is tried once and never waits: by the time it were sent, what its sender has seen
        might no longer hold.

        :raises RateLimited: the wait asked for is longer than `RetryPolicy` allows.
        :raises Unreachable: no answer, or 5xx, in every attempt.
        :raises BadPayload: a damaged answer in every attempt, or one that leads elsewhere.
        :raises Refused: GitHub says no; one of its subclasses for the usual statuses.
        """
        attempts, began = 0, self._patience.clock()
        while True:
            await self._respect_pause(request)
            outcome = await self._try_once(request)
            wait = self._wait_for(request, outcome, attempts)
            attempts += 1
            if isinstance(outcome, Response) and wait is None:
                return accepted(request, outcome)
            wait = wait or wait_after_failure(self._patience.clock(), attempts)
            final = request.writes or self._patience.used_up(attempts, began)
            if final or self._patience.exceeded_by(wait):
                raise given_up(request, outcome, wait, attempts)
            await self._patience.sit_out(wait)

    def first_url(self, request: Request) -> str:
        """The whole URL that a request goes to: the name under which a page is remembered."""
        return str(self._http.build_request("GET", request.url, params=_params(request)).url)

    def still_leads_on(self, cursor: str | None) -> str | None:
        """The cursor; None where it was kept for another address of GitHub than is set now."""
        return cursor if cursor is not None and self._is_ours(httpx.URL(cursor)) else None

    async def _try_once(self, request: Request) -> Outcome:
        try:
            response = await self._follow(request)
        except AuthenticationFailed as failure:
            response = failure.response
            if response.is_server_error:  # the request itself has not been sent
                return NoResponse(str(failure), never_sent=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return NoResponse(type(error).__name__, never_sent=True)
        except (httpx.TransportError, httpx.DecodingError) as error:
            return NoResponse(type(error).__name__)
        self._observe(request, response)
        return read(request, response)

    async def _follow(self, request: Request) -> httpx.Response:
        """Send, and go where a renamed repository or a transferred issue lives now."""
        response = await self._transmit(request)
        for _ in range(_MAX_REDIRECTS):
            target = _redirect(request, response)
            if target is None:
                break
            request = replace(request, url=target, params=None)
            response = await self._transmit(request)
        return response

    async def _transmit(self, request: Request) -> httpx.Response:
        self._refuse_other_hosts(request.url)
        return await self._http.request(
            request.method,
            self._graphql_url() if request.pool == GRAPHQL else request.url,
            params=_params(request),
            json=request.json,
            headers=request.headers,
            auth=self._auth,
        )

    def _graphql_url(self) -> httpx.URL:
        """`/graphql`, on an Enterprise server `/api/graphql` beside `/api/v3`."""
        base = self._http.base_url
        return base.copy_with(path=f"{base.path.rstrip('/').removesuffix('/v3')}/graphql")

    def _refuse_other_hosts(self, url: str) -> None:
        """A token must not travel to wherever a link or a redirect says."""
        target = httpx.URL(url)
        if not self._is_ours(target):
            raise BadPayload(
                f"an answer leads to {_place(target)}, expected {_place(self._http.base_url)}; "
                "check GITHUB_API_URL"
            )

    def _is_ours(self, url: httpx.URL) -> bool:
        return url.is_relative_url or _place(url) == _place(self._http.base_url)

    def _wait_for(self, request: Request, outcome: Outcome, attempts: int) -> RateLimitWait | None:
        now = self._patience.clock()
        if isinstance(outcome, NoResponse):
            return wait_after_failure(now, attempts)
        wait = wait_after(outcome.status, outcome.headers, now, attempts, outcome.message)
        left = budget(outcome.headers, now)
        if wait and wait.reason != "server":
            self._remember(request, now, wait)
        elif left and left.remaining == 0:
            self._pauses[_spent(request)] = (now, RateLimitWait(left.reset_at, "primary"))
        return wait

    def _remember(self, request: Request, now: datetime, wait: RateLimitWait) -> None:
        """Put down who has to wait: the hourly budget is shared by all that an identity asks.

        A secondary limit does not say what it is about: first it is taken to be about the
        repository, and once a second one meets it, about everything.
        """
        others = set(self._pauses) - {request.scope, _EVERYTHING, _GRAPHQL}
        already = any(self._standing(scope) for scope in others)
        scope = _EVERYTHING if already else request.scope
        self._pauses[_spent(request) if wait.reason == "primary" else scope] = (now, wait)

    async def _respect_pause(self, request: Request) -> None:
        """Wait out what another call of this identity was told, instead of running into it."""
        for scope in dict.fromkeys((_EVERYTHING, _spent(request), request.scope)):
            wait = self._standing(scope)
            if wait is None:
                continue
            if request.writes or self._patience.exceeded_by(wait):
                raise RateLimited(request.what, wait.until, wait.reason)
            await self._patience.sit_out(wait)

    def _standing(self, scope: str) -> RateLimitWait | None:
        """The pause of a repository, or of everything; None: it is over, or there was none."""
        since, wait = self._pauses.get(scope, (None, None))
        # A clock set back must not turn a short pause into a long one.
        if since is None or wait is None or since <= self._patience.clock() < wait.until:
            return wait
        del self._pauses[scope]
        return None

    def _observe(self, request: Request, response: httpx.Response) -> None:
        if self._observer:
            now = self._patience.clock()
            left = None if request.pool == GRAPHQL else budget(response.headers, now)
            ahead = clock_ahead(response.headers, now)
            self._observer(ResponseSeen(request.method, response.status_code, left, ahead))


def _spent(request: Request) -> str:
    """What waits once the budget is spent that the request is counted against.

    Nobody asks REST less because GraphQL's is; the other way round they wait together.
    """
    return _GRAPHQL if request.pool == GRAPHQL else _EVERYTHING


def _params(request: Request) -> dict[str, str | int] | None:
    # httpx drops a URL's own query when it is given an empty mapping
    return dict(request.params) if request.params else None


def _place(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{url.host}{port}"


def _redirect(request: Request, response: httpx.Response) -> str | None:
    """Where to send the same request next, None where the response is final.

    A write goes nowhere else: a transferred issue is in another repository by now, which has rules
    of its own, and httpx itself would turn a redirected POST into a GET.
    """
    location: str | None = response.headers.get("location")
    if request.writes or not location or response.status_code not in {301, 302, 307, 308}:
        return None
    return urljoin(str(response.url), location)
