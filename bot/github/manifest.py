"""What is asked of GitHub when it makes our App: the manifest, and where to send it. Pure.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PERMISSIONS = {"issues": "write", "metadata": "read", "contents": "read", "checks": "write"}
"""The least that does it. Contents: the one configuration file and the news that it was pushed;
checks: showing what is wrong with it."""
EVENTS = ("issues", "issue_comment", "label", "push", "repository")
"""Beside those of installations, which every App gets."""


@dataclass(frozen=True, slots=True)
class TargetRights:
    """What the App needs beside that for one more of the file's `targets`.

    :ivar permissions: by GitHub's name of the permission, its level.
    """

    shown_as: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]


TARGETS = {
    "pull_requests": TargetRights("pull requests", {"pull_requests": "write"}, ("pull_request",)),
    "discussions": TargetRights("discussions", {"discussions": "write"}, ("discussion",)),
}
"""Asked for only where whoever makes the App chooses them."""


def manifest(name: str, address: str, targets: Iterable[str] = ()) -> dict[str, Any]:
    """The App to make.

    :param name: how it is called; GitHub lets people change it on its page.
    :param address: where GitHub and browsers reach this service, without a slash at its end.
    :param targets: of `TARGETS`.
    """
    further = [TARGETS[target] for target in targets]
    permissions = dict(PERMISSIONS)
    for rights in further:
        permissions |= rights.permissions
    events = [*EVENTS, *(event for rights in further for event in rights.events)]
    return {
        "name": name,
        "url": address,
        "hook_attributes": {"url": f"{address}/webhook", "active": True},
        "redirect_url": f"{address}/setup/callback",
        "callback_urls": [f"{address}/signin/callback"],
        "public": False,
        "default_permissions": permissions,
        "default_events": events,
        "description": "Labels issues from a handful of examples, and says so when it cannot.",
    }


def web_address(api_url: str) -> str:
    """Where the pages are of the GitHub whose API this is.

    >>> web_address("https://api.github.com"), web_address("https://ghe.test/api/v3")
    ('https://github.com', 'https://ghe.test')
    """
    parts = urlsplit(api_url)
    host = parts.netloc
    if not parts.path.rstrip("/").endswith("/api/v3"):
        host = host.removeprefix("api.")  # github.com, and GHE.com's api.NAME.ghe.com
    return f"{parts.scheme}://{host}"


def new_app_page(api_url: str, organisation: str, state: str) -> str:
    """The page that takes a manifest by POST.

    :param organisation: whose the App becomes; "" for whoever is signed in.
    :param state: comes back with the code, so that nobody else's code is taken.
    """
    owner = f"/organizations/{quote(organisation, safe='')}" if organisation else ""
    return f"{web_address(api_url)}{owner}/settings/apps/new?state={quote(state, safe='')}"
