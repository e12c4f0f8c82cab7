"""`/setup`: makes the GitHub App by GitHub's manifest flow, once, for who can read the log.

Open only while there are neither App nor token. The link with its token is in the log at start;
GitHub's answer counts only with the `state` that was handed out. No secret is shown or logged.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.errors import CommandRefused
from bot.github.errors import GitHubError
from bot.github.manifest import TARGETS, manifest, new_app_page, web_address
from bot.github.web_addresses import unreachable_because
from bot.process.app_credentials import AppCredentials, keep
from bot.process.logs import hide
from bot.receiving.body import TooLarge, read_within
from bot.service import setup_pages as pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.container import Container
    from bot.github.models import NewApp

log = logging.getLogger(__name__)

MAX_FORM = 10_000
"""Bytes."""
MAX_STATES = 20
"""How often the form may be handed out before the oldest no longer counts."""
_CODE = re.compile(r"[A-Za-z0-9]{1,100}")
_ORGANISATION = re.compile(r"[A-Za-z0-9-]{0,39}")


class SetupRefusal(Exception):
    """A page that says no."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class Setup:
    """The endpoints.

    :param ready: called once there are credentials.
    """

    def __init__(self, container: Container, ready: Callable[[], None]) -> None:
        self._container = container
        self._ready = ready
        self._token = secrets.token_urlsafe(32)
        self._states: list[str] = []
        self._one_at_a_time = asyncio.Lock()
        self.router = APIRouter()
        self.router.add_api_route("/setup", self.ask, methods=["GET"], include_in_schema=False)
        self.router.add_api_route(
            "/setup", self.hand_over, methods=["POST"], include_in_schema=False
        )
        self.router.add_api_route(
            "/setup/callback", self.take_over, methods=["GET"], include_in_schema=False
        )

    def announce(self, address: str) -> None:
        """Say in the log where the App can be set up, if it can."""
        if self._closed_because() is None:
            log.warning(
                "no GitHub App is set up; to make one, open %s/setup?token=%s",
                address, self._token,
            )  # fmt: skip

    async def ask(self, request: Request) -> HTMLResponse:
        """The first page, for who has the token."""
        try:
            self._check_open(request.query_params.get("token", ""))
        except SetupRefusal as refusal:
            return self._refused(refusal)
        address = str(request.base_url).rstrip("/")
        api = self._container.settings.github_api_url
        unreachable = unreachable_because(address, api)
        targets = {name: rights.shown_as for name, rights in TARGETS.items()}
        first_step = pages.questions(self._token, address, "issue-tagger", targets, unreachable)
        return self._page(first_step, form="'self'")

    async def hand_over(self, request: Request) -> HTMLResponse:
        """The manifest, in a form that posts it to GitHub."""
        try:
            form = await _form(request)
            self._check_open(form.get("token", ""))
            address, organisation = _address(form), _organisation(form)
        except SetupRefusal as refusal:
            return self._refused(refusal)
        name = form.get("name", "").strip()[:34] or "issue-tagger"
        state = secrets.token_urlsafe(32)
        self._states = [*self._states[1 - MAX_STATES :], state]
        api = self._container.settings.github_api_url
        target = new_app_page(api, organisation, state)
        asked = manifest(name, address, [each for each in TARGETS if form.get(each)])
        shown = pages.hand_over(asked, target, unreachable_because(address, api))
        return self._page(shown, form=web_address(api))

    async def take_over(self, request: Request) -> HTMLResponse:
        """GitHub sent the browser back: swap the code for the App's credentials and keep them."""
        code, state = (request.query_params.get(name, "") for name in ("code", "state"))
        try:
            async with self._one_at_a_time:
                app = await self._take_over(code, state)
        except SetupRefusal as refusal:
            return self._refused(refusal)
        log.info("a GitHub App was set up", extra={"app": app.slug, "app_id": app.id})
        web = web_address(self._container.settings.github_api_url)
        there = app.html_url if app.html_url.startswith(f"{web}/") else f"{web}/apps/{app.slug}"
        shown = pages.done(app.name or app.slug, f"{there}/installations/new", self._warnings(app))
        return self._page(shown)

    async def _take_over(self, code: str, state: str) -> NewApp:
        if why := self._closed_because():
            raise SetupRefusal(409, why)
        if not any([_same(state, known_state) for known_state in self._states]):  # noqa: C419 - each is compared
            raise SetupRefusal(
                403, "This answer belongs to no form of ours; begin at /setup again."
            )
        if not _CODE.fullmatch(code):
            raise SetupRefusal(400, "GitHub's code is missing; begin at /setup again.")
        app = await self._converted(code)
        credentials = _credentials(app)
        secrets_of_app = (credentials.private_key, credentials.webhook_secret)
        for secret in (*secrets_of_app, credentials.client_secret):
            hide(secret)
        try:
            file = self._container.settings.app_credentials_file
            await asyncio.to_thread(keep, credentials, file)
        except CommandRefused as refused:
            raise SetupRefusal(409, str(refused)) from None
        self._container.adopt(credentials)
        self._states.clear()
        self._ready()
        return app

    async def _converted(self, code: str) -> NewApp:
        access = self._container.github()  # anonymously, for there are no credentials yet
        try:
            return await (await access.client("")).convert_manifest(code)
        except GitHubError as error:
            log.warning("GitHub's code was not taken", extra={"reason": str(error)})
            raise SetupRefusal(502, f"GitHub did not hand over the App: {error}") from None
        finally:
            await access.aclose()

    def _check_open(self, token: str) -> None:
        if why := self._closed_because():
            raise SetupRefusal(409, why)
        if not _same(token, self._token):
            raise SetupRefusal(
                403, "Open the whole link that the service's log shows at its start."
            )

    def _closed_because(self) -> str | None:
        settings = self._container.settings
        if settings.github_app_id is not None:
            return "A GitHub App is set up already."
        if settings.github_token is not None:
            return "The service speaks with a token; remove ISSUE_TAGGER_GITHUB_TOKEN first."
        return None

    def _warnings(self, app: NewApp) -> tuple[str, ...]:
        used = self._container.settings.webhook_secrets
        if app.webhook_secret is not None and app.webhook_secret.get_secret_value() not in used:
            return (
                "ISSUE_TAGGER_WEBHOOK_SECRET is set and stands instead of the App's own secret: "
                "remove the variable, or enter its value on the App's page.",
            )
        return ()

    def _refused(self, refusal: SetupRefusal) -> HTMLResponse:
        return self._page(pages.message("Set up issue-tagger", refusal.message), refusal.status)

    def _page(self, text: str, status: int = 200, form: str = "'none'") -> HTMLResponse:
        return HTMLResponse(text, status, headers=_headers(form))


def _headers(form: str) -> dict[str, str]:
    """No script, no frame, no cache, no path told to others: the address holds a token.

    :param form: where forms may go.
    """
    digest = base64.b64encode(hashlib.sha256(pages.style().encode()).digest()).decode()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action {form}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        # With "no-referrer" the form would reach GitHub as "Origin: null"; this tells no path.
        "Referrer-Policy": "strict-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _same(value: str, expected: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(value.encode("utf-8", "replace"), expected.encode())


async def _form(request: Request) -> dict[str, str]:
    try:
        pieces = await read_within(
            request.stream(), request.headers.get("content-length"), MAX_FORM
        )
    except TooLarge:
        raise SetupRefusal(413, "The form is too large.") from None
    parsed = parse_qs(b"".join(pieces).decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[-1] for name, values in parsed.items()}


def _address(form: dict[str, str]) -> str:
    """:raises Refusal: an address that GitHub could not send webhooks to."""
    address = form.get("address", "").strip().rstrip("/")
    try:
        parts = urlsplit(address)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.username or parts.query or parts.fragment or not address.isprintable():
        raise SetupRefusal(400, "The address must look like https://tagger.example.org.")
    return address


def _organisation(form: dict[str, str]) -> str:
    organisation = form.get("organisation", "").strip()
    if not _ORGANISATION.fullmatch(organisation):
        raise SetupRefusal(400, "An organisation's name has letters, digits and hyphens only.")
    return organisation


def _credentials(app: NewApp) -> AppCredentials:
    secret = app.webhook_secret
    if secret is None or not secret.get_secret_value():
        raise SetupRefusal(502, "GitHub made the App without a webhook secret; delete it there.")
    client_secret = app.client_secret.get_secret_value() if app.client_secret else ""
    return AppCredentials(
        app.id,
        app.slug,
        app.pem.get_secret_value(),
        secret.get_secret_value(),
        app.client_id,
        client_secret,
    )
