"""An issue of any export in the fields and words of GitHub's REST API; what is not needed is left.

Names are GitHub's own: snake case in REST, camel case in GraphQL and in `gh … --json`. A field that
import does not need is not looked at, so that it can cost no row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {
    "id": ("id", "databaseId"),
    "number": ("number",),
    "title": ("title",),
    "body": ("body", "bodyText"),
    "state": ("state",),
    "created_at": ("created_at", "createdAt"),
    "updated_at": ("updated_at", "updatedAt"),
    "closed_at": ("closed_at", "closedAt"),
    "user": ("user", "author"),
    "author_association": ("author_association", "authorAssociation"),
    "labels": ("labels",),
}
"""REST's name of a field → the names that exports have for it."""

_PULL_REQUEST_ADDRESS = re.compile(r"/pulls?/\d+/?$")
_APP_OF_GH = "app/"


@dataclass(frozen=True, slots=True)
class RestFields:
    """An issue in REST's fields, none of them checked but labels.

    :ivar nameless: how many labels had no name and are left out.
    :ivar titled: whether there is a title, which may be empty.
    :ivar labelled: whether there is a list of labels, which may be empty.
    """

    fields: dict[str, Any]
    nameless: int
    titled: bool
    labelled: bool


def rest_fields(issue: Mapping[str, Any]) -> RestFields:
    """What import needs of an issue.

    :raises ValueError: its labels are no labels, or not all of them are there.
    """
    fields = {name: _first(issue, names) for name, names in _NAMES.items()}
    labels, nameless = _labels(fields["labels"])
    labelled = fields["labels"] is not None
    fields["labels"] = labels
    fields["id"] = _id_or_none(fields["id"])
    fields["state"] = _state(fields["state"], fields["closed_at"])
    fields["user"] = _author(fields["user"])
    fields["author_association"] = _text_or_none(fields["author_association"])
    for name in ("updated_at", "closed_at"):
        fields[name] = None if fields[name] == "" else fields[name]
    fields |= _type(issue)
    if _is_pull_request(issue):
        fields["pull_request"] = {"url": ""}
    return RestFields(fields, nameless, "title" in issue, labelled)


def _first(issue: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((issue[name] for name in names if issue.get(name) is not None), None)


def _state(state: object, closed_at: object) -> object:
    """`open` or `closed`: what was merged is closed; where nothing is told, the date tells."""
    if state is None or state == "":
        return "closed" if closed_at else "open"
    if not isinstance(state, str):
        return state
    folded = state.strip().lower()
    return {"merged": "closed", "opened": "open", "reopened": "open"}.get(folded, folded)


def _id_or_none(value: object) -> int | None:
    """A number that a database takes; GraphQL's ids are texts."""
    return value if type(value) is int and 0 <= value < 2**63 else None


def _author(user: object) -> dict[str, str] | None:
    """Login and type as REST has them; None for a ghost and for what cannot be read."""
    if isinstance(user, str):
        return {"login": user} if user else None
    if not isinstance(user, dict):
        return None
    login, kind = user.get("login"), user.get("type") or user.get("__typename")
    if not isinstance(login, str) or not login:
        return None
    if login.startswith(_APP_OF_GH):
        login, kind = login.removeprefix(_APP_OF_GH), "Bot"
    is_bot = user.get("is_bot") is True or (isinstance(kind, str) and kind.lower() == "bot")
    if is_bot and not login.endswith("[bot]"):
        login += "[bot]"
    return {"login": login, "type": "Bot" if is_bot else "User"}


def _type(issue: Mapping[str, Any]) -> dict[str, str]:
    """The native type by its name, "" for none; nothing where the export does not tell.

    A `type` that is a plain text is another matter of other exports.
    """
    for name in ("type", "issueType"):
        value = issue.get(name)
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            return {"type": value["name"]}
        if name in issue and value is None:
            return {"type": ""}
    return {}


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_pull_request(issue: Mapping[str, Any]) -> bool:
    """By the link that REST has, by GraphQL's type, or by the address."""
    if issue.get("pull_request") or issue.get("isPullRequest") is True:
        return True
    if issue.get("__typename") == "PullRequest":
        return True
    addresses = (issue.get("html_url"), issue.get("url"))
    return any(isinstance(url, str) and _PULL_REQUEST_ADDRESS.search(url) for url in addresses)


def _labels(labels: object) -> tuple[list[dict[str, str]], int]:
    """Labels with names, and how many had none.

    :raises ValueError: it is no list of labels; or a page of GraphQL's that is not the last one.
    """
    if labels is None:
        return [], 0
    if isinstance(labels, dict):
        labels = _connection(labels)
    if not isinstance(labels, list):
        raise ValueError("labels: expected a list of labels")  # noqa: TRY004 - as documented
    named = [label for label in map(_label, labels) if label]
    return named, len(labels) - len(named)


def _connection(labels: Mapping[str, Any]) -> object:
    """The labels of a GraphQL connection, by `nodes` or by `edges`."""
    nodes = labels.get("nodes")
    if not isinstance(nodes, list) and isinstance(labels.get("edges"), list):
        nodes = [edge.get("node") if isinstance(edge, dict) else edge for edge in labels["edges"]]
    if not isinstance(nodes, list):
        return nodes
    total, page = labels.get("totalCount"), labels.get("pageInfo")
    more = isinstance(page, dict) and page.get("hasNextPage") is True
    if more or (isinstance(total, int) and total > len(nodes)):
        raise ValueError("labels: not all of them are here; ask for labels(first: 100)")
    return nodes


def _label(label: object) -> dict[str, str] | None:
    if isinstance(label, str):
        label = {"name": label}
    if not isinstance(label, dict) or not isinstance(label.get("name"), str):
        return None
    if not label["name"].strip():
        return None
    texts = {name: label.get(name) for name in ("description", "color")}
    return {"name": label["name"], **{k: v for k, v in texts.items() if isinstance(v, str)}}
