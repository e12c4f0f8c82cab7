"""GitHub's REST API in front of the simulator's state: routing, credentials, limits, ETags."""

from __future__ import annotations

import hashlib
import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from bot.github.api_version import VERSION_HEADER
from bot.simulator.app_routes import APP_ROUTES
from bot.simulator.calls import Call, Identity, Reply
from bot.simulator.discussion_routes import graphql
from bot.simulator.documented import Operation, operation_key, read_operations
from bot.simulator.faults import NetworkFault
from bot.simulator.issue_routes import ISSUE_ROUTES
from bot.simulator.records import RequestSeen, SimulatorError
from bot.simulator.repository_routes import REPOSITORY_ROUTES
from bot.simulator.sign_in import sign_in_routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from bot.simulator.calls import Handler
    from bot.simulator.state import GitHubState


class ConnectionFault(Exception):
    """A fault that no response can express; whoever carries the bytes acts it out."""

    def __init__(self, network_fault: NetworkFault) -> None:
        self.network_fault = network_fault
        super().__init__(network_fault.value)


def create_app(state: GitHubState, prefix: str = "") -> Router:
    """The API as an ASGI application; an Enterprise server has the prefix "/api/v3".

    A bare router: a whole Starlette application would answer 500 in place of `ConnectionFault`.
    """
    api = _Api(state, prefix)
    documented = read_operations()
    routes: list[BaseRoute] = [
        Route(
            path, api.endpoint(handler, documented[operation_key(method, path)]), methods=[method]
        )
        for method, path, handler in (*ISSUE_ROUTES, *REPOSITORY_ROUTES, *APP_ROUTES)
    ]
    of_graphql = Route("/graphql", api.endpoint(graphql), methods=["POST"])
    if not prefix:
        routes.append(of_graphql)
    routes.append(Route("/{rest:path}", api.endpoint(_unknown)))
    pages: list[BaseRoute] = [*sign_in_routes(state)]
    if prefix:  # beside REST's "/api/v3"
        pages.append(
            Mount(prefix.removesuffix("/v3"), routes=[of_graphql, Mount("/v3", routes=routes)])
        )
    return Router(pages if prefix else [*pages, *routes])


def identify(state: GitHubState, authorization: str) -> Identity:
    """Whose credentials these are. :raises StandInError: 401 for invalid ones."""
    if not authorization:
        return Identity()
    token = authorization.partition(" ")[2]
    if token in state.tokens:
        return Identity(state.tokens[token].login)
    if token.count(".") == 2:
        app = state.app_of_jwt(token)
        return Identity(app.bot.login, app=app)
    installation = state.installation_of_token(token)
    return Identity(installation.app.bot.login, installation=installation)


class _Api:
    """What every route has in common."""

    def __init__(self, state: GitHubState, prefix: str) -> None:
        self._state = state
        self._prefix = prefix

    def endpoint(
        self, handler: Handler, operation: Operation | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            with self._state.lock:
                return self._respond(request, raw, handler, operation)

        return endpoint

    def _respond(
        self, request: Request, raw: bytes, handler: Handler, operation: Operation | None
    ) -> Response:
        path = request.url.path.removeprefix(self._prefix)
        fault = self._state.fault_for(request.method, path)
        identity, sent = Identity(), None
        try:
            self._check_version(request)
            sent = _decoded(raw)
            _check_documented(operation, request, sent)
            identity = identify(self._state, request.headers.get("authorization", ""))
            self._spend(identity)
            self._hide_discussions(request)
            reply = Reply(fault.status) if fault and not fault.acts else None
            reply = reply or _conditional(request, handler(self._call(identity, request, sent)))
        except SimulatorError as refusal:
            reply = self._redirected(request, refusal) or _refusal(refusal.status, refusal.message)
        if fault is not None and fault.network_fault is None:
            reply = Reply(fault.status, _refusal(0, fault.message).data, fault.headers)
        self._state.requests.append(_seen(request, path, sent, identity, reply.status))
        return self._carried(identity, reply, fault.network_fault if fault else None)

    def _call(self, identity: Identity, request: Request, sent: Any) -> Call:
        return Call(
            state=self._state,
            identity=identity,
            path={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
            headers=request.headers,
            json=sent,
            url=str(request.url.replace(query="")),
            base_url=str(request.base_url).rstrip("/"),
        )

    def _check_version(self, request: Request) -> None:
        """:raises StandInError: 400 for a version that this GitHub does not know; none is fine."""
        version = request.headers.get(VERSION_HEADER)
        if version is not None and version not in self._state.api_versions:
            raise SimulatorError(400, f"API version {version} is not supported.")

    def _spend(self, identity: Identity) -> None:
        """Count a request against its sender's hour. :raises StandInError: 403, none is left."""
        budget = self._state.budget(identity.login)
        if budget.remaining <= 0:
            raise SimulatorError(403, f"API rate limit exceeded for {identity.login or 'you'}.")
        budget.remaining -= 1

    def _hide_discussions(self, request: Request) -> None:
        """:raises StandInError: 404, REST knows no discussions."""
        asked = {
            part: str(request.path_params.get(part, "")) for part in ("owner", "name", "number")
        }
        repository = self._state.repositories.get(f"{asked['owner']}/{asked['name']}".lower())
        if repository is None or not asked["number"].isdigit():
            return
        issue = repository.issues.get(int(asked["number"]))
        if issue is not None and issue.category is not None:
            raise SimulatorError(404, "Not Found")

    def _redirected(self, request: Request, refusal: SimulatorError) -> Reply | None:
        """The old address of a repository or an issue answers with the way to the new one."""
        owner, name = (str(request.path_params.get(part, "")) for part in ("owner", "name"))
        old = f"/repos/{owner}/{name}"
        new_name = self._state.renamed.get(f"{owner}/{name}".lower())
        new = f"/repos/{new_name}" if new_name else None
        if new is None and "number" in request.path_params:
            old = f"{old}/issues/{request.path_params['number']}"
            new = self._state.transferred_issues.get(old.lower())
        if refusal.status != 404 or new is None:
            return None
        location = str(request.url).replace(old, new, 1)
        status = 301 if request.method == "GET" else 307
        return Reply(status, {"message": "Moved", "url": location}, {"location": location})

    def _carried(
        self, identity: Identity, reply: Reply, network_fault: NetworkFault | None
    ) -> Response:
        if network_fault in {NetworkFault.TIMEOUT, NetworkFault.CLOSED}:
            raise ConnectionFault(network_fault)
        budget = self._state.budget(identity.login)
        if reply.status == 304:
            budget.remaining += 1  # a 304 costs nothing
        body = (
            reply.body[: len(reply.body) // 2] if network_fault is NetworkFault.HALF else reply.body
        )
        kind = "text/plain" if isinstance(reply.data, str) else "application/json"
        date = format_datetime(self._state.now(), usegmt=True)
        headers = {**budget.headers(), "date": date, **reply.headers}
        return Response(body, reply.status, headers, media_type=f"{kind}; charset=utf-8")


def _unknown(call: Call) -> Reply:
    raise SimulatorError(404, f"Not Found: {call.path}")


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise SimulatorError(400, "Problems parsing JSON") from None


def _check_documented(operation: Operation | None, request: Request, sent: Any) -> None:
    """:raises StandInError: 422 for a request that GitHub's OpenAPI description does not know."""
    problems = operation.problems(request.query_params, sent) if operation else []
    if problems:
        raise SimulatorError(422, f"not in GitHub's OpenAPI description: {'; '.join(problems)}")


def _refusal(status: int, message: str) -> Reply:
    url = "https://docs.github.com/rest"
    return Reply(status, {"message": message, "documentation_url": url, "status": str(status)})


def _conditional(request: Request, reply: Reply) -> Reply:
    """Add an ETag to what GET answers, and answer 304 to who has it already."""
    if request.method != "GET" or reply.status != 200:
        return reply
    link = reply.headers.get("link", "").encode()
    etag = f'W/"{hashlib.sha256(reply.body + link).hexdigest()}"'
    if request.headers.get("if-none-match") == etag:
        return Reply(304, None, {"etag": etag})
    return Reply(reply.status, reply.data, {**reply.headers, "etag": etag})


def _seen(request: Request, path: str, sent: Any, identity: Identity, status: int) -> RequestSeen:
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    query = dict(request.query_params)
    return RequestSeen(request.method, path, query, headers, sent, identity.login, status)
