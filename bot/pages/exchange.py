"""One request of a browser: its form, its cookie, and the headers that every page carries."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from fastapi.responses import HTMLResponse, RedirectResponse

from bot.api.refusals import ApiRefusal
from bot.receiving.body import TooLarge, read_within
from bot.signin.sessions import LASTS, same

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

    from bot.signin.viewers import Viewer

MAX_FORM = 400_000
"""Bytes: a body of 65,536 characters, each written in several."""
MAX_FIELDS = 60
ASKING = "issue_tagger_asking"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nothing is loaded from elsewhere, nothing runs that is not ours, nobody frames or keeps it."""


async def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form.

    :raises ApiRefusal: too large, or no form.
    """
    try:
        pieces = await read_within(
            request.stream(), request.headers.get("content-length"), MAX_FORM
        )
        text = b"".join(pieces).decode("utf-8", "strict")
        return parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except TooLarge:
        raise ApiRefusal(413, "That is too much text.") from None
    except ValueError:
        raise ApiRefusal(400, "The form cannot be read.") from None


def field(form: dict[str, list[str]], name: str) -> str:
    """The last value of a field; "" where there is none."""
    return form.get(name, [""])[-1]


def check_own_form(request: Request, viewer: Viewer, token: str) -> None:
    """Refuse what was not sent from a page of ours.

    :raises ApiRefusal: the token of the session is missing, or the browser says it came from
        elsewhere.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"} or not same(token, viewer.csrf):
        raise ApiRefusal(403, "This form is too old, or not of this page. Load the page anew.")


def page(text: str, status: int = 200) -> HTMLResponse:
    """A page, or a part of one."""
    return HTMLResponse(text, status, headers=HEADERS)


def see(path: str) -> RedirectResponse:
    """Leads on after a form, so that loading the page anew sends nothing twice."""
    return RedirectResponse(path, 303, headers=HEADERS)


def with_cookie(response: Response, request: Request, name: str, value: str) -> Response:
    """Sets a cookie that only our pages send, or, empty, takes it away."""
    response.set_cookie(
        name,
        value,
        max_age=LASTS if value else 0,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # strict would lose it on the way back from GitHub, and on shared links
    )
    return response
