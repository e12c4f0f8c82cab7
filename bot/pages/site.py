"""The pages' endpoints: who is asking, which document, which template."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.api import reviewing
from bot.api.documents import DecisionOrder
from bot.api.refusals import ApiRefusal, NotShown, SignInNeeded
from bot.pages.exchange import (
    HEADERS,
    LOOPBACK,
    check_own_form,
    field,
    form_of,
    page,
    see,
)
from bot.pages.learning_pages import LearningPages, suspect_part
from bot.pages.rendering import path_of, render, slug, static_files
from bot.pages.sentences import day_groups, day_sentence, together
from bot.pages.sign_in_pages import SignInPages
from bot.pages.teach_page import TeachPage
from bot.signin.sessions import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.api.api_context import ApiContext
    from bot.signin.viewers import Viewer

    Made = Callable[["Visit"], Awaitable[Response]]

log = logging.getLogger(__name__)

PAGES = (
    ("", "Today"),
    ("/teach", "Teach"),
    ("/preview", "What would it do?"),
    ("/try", "Try it"),
    ("/releases", "Releases"),
    ("/audit", "Audit"),
)
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Visit:
    """A request with who makes it and, where it writes, its form."""

    request: Request
    viewer: Viewer
    form: dict[str, list[str]]

    @property
    def repository(self) -> str:
        parts = self.request.path_params
        return f"{parts['owner']}/{parts['name']}"

    def asked(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    def whole(self, name: str, default: int) -> int:
        """A whole number of the query; what is none counts as not there."""
        text = self.asked(name)
        return int(text) if text.isdecimal() and len(text) < 7 else default

    @property
    def is_part(self) -> bool:
        """Whether the script asks for the changed part alone."""
        return self.request.headers.get("x-part") == "item"


class Site:
    """All pages of one service."""

    def __init__(self, api: ApiContext) -> None:
        self.api = api
        self.router = APIRouter(include_in_schema=False)
        entering = SignInPages(api)
        of = "/r/{owner}/{name}"
        self._add("GET", "/", self._opened(self.home))
        self._add("GET", "/static/{file}", self._opened(self.static))
        self._add("GET", "/signin", self._opened(self.home))
        self._add("GET", "/signin/once", self._opened(entering.by_link))
        self._add("GET", "/signin/github", self._opened(entering.to_github))
        self._add("GET", "/signin/callback", self._opened(entering.from_github))
        self._add("POST", "/signout", self._opened(entering.sign_out))
        self._add("GET", of, self._entered(self.today))
        self._add("POST", f"{of}/decide", self._entered(self.decide))
        self._add("POST", f"{of}/retry", self._entered(self.retry))
        pages, teaching = LearningPages(self), TeachPage(self)
        for method, path, make in (
            ("GET", "/why/{number}", pages.why),
            ("GET", "/try", pages.try_form),
            ("POST", "/try", pages.try_it),
            ("GET", "/preview", pages.preview),
            ("GET", "/releases", pages.releases),
            ("POST", "/releases", pages.change_release),
            ("GET", "/audit", pages.audit),
            ("POST", "/audit", pages.audit_anew),
            ("GET", "/teach", teaching.show),
            ("POST", "/teach", teaching.act),
        ):
            self._add(method, f"{of}{path}", self._entered(make))

    def _add(self, method: str, path: str, endpoint: Callable[[Request], Any]) -> None:
        self.router.add_api_route(path, endpoint, methods=[method], response_model=None)

    def _opened(
        self, make: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for everybody, whose refusals are pages."""

        async def endpoint(request: Request) -> Response:
            try:
                self._check_host(request)
                return await make(request)
            except ApiRefusal as refusal:
                return self._refused(request, refusal)

        return endpoint

    def _entered(self, make: Made) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for who has signed in."""

        async def within(request: Request) -> Response:
            viewer = await self.api.authenticator.viewer(request.cookies.get(SESSION_COOKIE, ""))
            if viewer is None:
                raise SignInNeeded
            form: dict[str, list[str]] = {}
            if request.method == "POST":
                form = await form_of(request)
                check_own_form(request, viewer, field(form, "csrf"))
            return await make(Visit(request, viewer, form))

        return self._opened(within)

    def _check_host(self, request: Request) -> None:
        """A name that leads to this machine must not open what is on it (DNS rebinding).

        :raises ApiRefusal: the pages are on one's own machine, and were asked for elsewhere.
        """
        if self.api.authenticator.is_local and request.url.hostname not in LOOPBACK:
            raise ApiRefusal(421, "These pages are opened at http://127.0.0.1 only.")

    def _refused(self, request: Request, refusal: ApiRefusal) -> Response:
        headers = dict(HEADERS)
        if refusal.retry_after:
            headers["Retry-After"] = str(refusal.retry_after)
        if request.headers.get("x-part"):
            return Response(refusal.message, refusal.status, headers, media_type="text/plain")
        if isinstance(refusal, SignInNeeded) and request.method == "GET":
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return see(f"/signin?back={quote(path, safe='')}")
        heading = "Not found" if isinstance(refusal, NotShown) else "That did not work"
        text = render(
            "message.html.jinja", viewer=None, heading=heading, text=refusal.message, back="/"
        )
        return Response(text, refusal.status, headers, media_type="text/html")

    async def home(self, request: Request) -> Response:
        """What this is and how to sign in, or the repositories that one may see."""
        keeper = self.api.authenticator
        viewer = await keeper.viewer(request.cookies.get(SESSION_COOKIE, ""))
        listed: list[Any] = []
        if viewer is not None:
            try:
                listed = (await reviewing.repositories(self.api, viewer)).repositories
            except SignInNeeded:
                viewer = None
        sign_in = "local" if keeper.is_local else "github" if keeper.github else "none"
        back = request.query_params.get("back", "/")
        return page(
            render(
                "home.html.jinja", viewer=viewer, repositories=listed, sign_in=sign_in, back=back
            )
        )

    async def static(self, request: Request) -> Response:
        """The style sheet and the keys."""
        file = static_files().get(request.path_params["file"])
        if file is None:
            raise NotShown
        kind, content = file
        return Response(content, media_type=kind, headers={**HEADERS, **_IMMUTABLE})

    def show(self, visit: Visit, template: str, heading: str, **content: Any) -> Response:
        """A page of a repository."""
        content |= {"repository": visit.repository, "viewer": visit.viewer, "heading": heading}
        content.setdefault("message", "")
        return page(render(template, pages=PAGES, **content))

    async def today(self, visit: Visit) -> Response:
        """What was set, suggested and left."""
        days = visit.whole("days", 1)
        day = await reviewing.today(
            self.api, visit.viewer, visit.repository, days, _time(visit.asked("before"))
        )
        return self.show(
            visit,
            "today.html.jinja",
            "Today",
            day=day,
            days=days,
            standing=day.standing,
            sentence=day_sentence(day, days),
            groups=day_groups(day),
            together=together,
            here=f"{path_of(visit.repository)}?days={days}",
            older=quote(day.older.isoformat()) if day.older else "",
        )

    async def decide(self, visit: Visit) -> Response:
        """One decision; for the script the item anew, else back to where it was made."""
        order = _order(visit.form)
        decided = await reviewing.decided(self.api, visit.viewer, visit.repository, order)
        back = field(visit.form, "back")
        base = path_of(visit.repository)
        back = back if back.startswith(base) else base
        if visit.is_part and order.origin == "audit":
            return suspect_part(visit, decided)
        if visit.is_part and decided.item is not None:
            return page(
                render(
                    "item.html.jinja",
                    it=decided.item,
                    base=base,
                    csrf=visit.viewer.csrf,
                    origin=order.origin,
                    back=back,
                    again=_again(visit.form),
                )
            )
        return see(f"{back}#i{order.number}-{slug(decided.label)}")

    async def retry(self, visit: Visit) -> Response:
        """A webhook that failed, once more."""
        await reviewing.retried(self.api, visit.viewer, visit.repository, field(visit.form, "guid"))
        return see(f"{path_of(visit.repository)}#failed")


def _order(form: dict[str, list[str]]) -> DecisionOrder:
    """:raises ApiRefusal: it is none."""
    names = ("number", "label", "decision", "origin")
    try:
        return DecisionOrder.model_validate({name: field(form, name) for name in names})
    except ValueError:
        raise ApiRefusal(400, "The form is not one of ours.") from None


def _again(form: dict[str, list[str]]) -> str:
    """How the item was joined to those beside it."""
    words = field(form, "again").split()
    return " ".join(word for word in words if word in {"again", "more"})


def _time(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else None
