"""Signing in through a GitHub App: the authorization page and the code's exchange.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from bot.simulator.apps import SimulatedApp
    from bot.simulator.state import GitHubState

_EIGHT_HOURS = 28_800


@dataclass(frozen=True)
class SimulatedSignIn:
    """A code that was handed out, valid once."""

    login: str
    app: SimulatedApp
    redirect_uri: str
    challenge: str


def sign_in_routes(state: GitHubState) -> list[Route]:
    """GitHub's pages for signing in; whoever is signed in in the browser says yes at once."""

    async def authorize(request: Request) -> Response:
        return _authorized(state, dict(request.query_params))

    async def exchange(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        return _exchanged(state, {name: values[-1] for name, values in form.items()})

    return [
        Route("/login/oauth/authorize", authorize, methods=["GET"]),
        Route("/login/oauth/access_token", exchange, methods=["POST"]),
    ]


def _authorized(state: GitHubState, query: dict[str, str]) -> Response:
    app = _app_of(state, query.get("client_id", ""))
    if app is None:
        return Response("Not Found", 404)
    target, returned = query.get("redirect_uri", ""), {"state": query.get("state", "")}
    if not state.browser_login:
        returned["error"] = "access_denied"
        return RedirectResponse(f"{target}?{urlencode(returned)}", 302)
    code = secrets.token_hex(10)
    with state.lock:
        state.sign_ins[code] = SimulatedSignIn(
            state.browser_login, app, target, query.get("code_challenge", "")
        )
    return RedirectResponse(f"{target}?{urlencode({'code': code, **returned})}", 302)


def _exchanged(state: GitHubState, form: dict[str, str]) -> Response:
    with state.lock:
        sign_in = state.sign_ins.pop(form.get("code", ""), None)
        app = _app_of(state, form.get("client_id", ""))
        if sign_in is None or app is not sign_in.app:
            return _error("bad_verification_code")
        if form.get("client_secret") != app.client_secret:
            return _error("incorrect_client_credentials")
        if form.get("redirect_uri", sign_in.redirect_uri) != sign_in.redirect_uri:
            return _error("redirect_uri_mismatch")
        if sign_in.challenge and _challenge(form.get("code_verifier", "")) != sign_in.challenge:
            return _error("bad_verification_code")
        token = f"ghu_{secrets.token_hex(18)}"
        state.add_token(token, sign_in.login)
        state.user_tokens[token] = app
    answer: dict[str, Any] = {"access_token": token, "token_type": "bearer", "scope": ""}
    return JSONResponse(answer | {"expires_in": _EIGHT_HOURS})


def _error(name: str) -> Response:
    return JSONResponse({"error": name, "error_description": name.replace("_", " ")})


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _app_of(state: GitHubState, client_id: str) -> SimulatedApp | None:
    return next((app for app in state.apps.values() if app.client_id == client_id), None)
