"""Which issues a value of an export holds: in answers of GitHub's APIs, events, webhook payloads.

https://docs.github.com/rest/issues, https://docs.github.com/graphql, https://www.gharchive.org,
https://docs.github.com/webhooks/webhook-events-and-payloads. Pure: values in, issues out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.exports.scanner import BESIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REST = "issues as GitHub's REST API lists them"
GH = "issues as `gh issue list --json` lists them"
GRAPHQL_NODES = "nodes of GitHub's GraphQL API"
GRAPHQL = "answers of GitHub's GraphQL API"
SEARCH = "answers of GitHub's search"
ARCHIVE = "events of GH Archive"
WEBHOOK = "webhook payloads"
UNKNOWN = ""

PULL_REQUEST = "pull requests"
NO_ISSUE = "events about no issue"
OTHER_REPOSITORY = "issues of other repositories"
GONE = "issues that were deleted or transferred"

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class PossibleShape:
    """What may be an issue.

    :ivar kind: one of the kinds above, `UNKNOWN` where it cannot be told.
    :ivar repository: the OWNER/NAME that it is said to be of, "" where that is not said.
    """

    kind: str
    issue: object
    repository: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What holds no issue to import, and why: one of the reasons above."""

    kind: str
    reason: str


def issues_in(value: object) -> Iterator[PossibleShape | LeftOut]:
    """Every issue of one JSON value; a value that is none of the known shapes as it is."""
    if not isinstance(value, dict):
        yield PossibleShape(UNKNOWN, value)
    elif "number" in value and "title" in value:
        yield _listed(value)
    elif _is_event(value):
        yield _of_event(value)
    elif _is_payload(value):
        yield _of_payload(value)
    elif isinstance(value.get("data"), dict):
        yield from (_candidate(GRAPHQL, issue) for issue in _nodes_of(value["data"], _DEEPEST))
    elif isinstance(value.get("items"), list):
        yield from (_candidate(SEARCH, issue) for issue in value["items"])
    elif isinstance(value.get("nodes"), list) or isinstance(value.get("edges"), list):
        yield from (_candidate(GRAPHQL_NODES, issue) for issue in _nodes(value, _DEEPEST))
    elif isinstance(value.get("issues"), list):
        yield from map(_listed, value["issues"])
    elif isinstance(value.get("node"), dict):
        yield _candidate(GRAPHQL_NODES, value["node"])
    else:
        yield _listed(value)


def _listed(issue: object) -> PossibleShape:
    return _candidate(_kind_of(issue) if isinstance(issue, dict) else UNKNOWN, issue)


def _candidate(kind: str, issue: object) -> PossibleShape:
    """With the repository, where a search names it: its answers come from many.

    A list of one repository's issues is not asked: it may be imported under a new name.
    """
    if not isinstance(issue, dict):
        return PossibleShape(kind, issue)
    if kind == SEARCH:
        address = issue.get("repository_url")
        name = "/".join(address.rsplit("/", 2)[1:]) if isinstance(address, str) else ""
        return PossibleShape(kind, issue, name)
    return PossibleShape(kind, issue, _name_in(issue.get("repository"), "nameWithOwner"))


def _name_in(repository: object, key: str) -> str:
    name = repository.get(key) if isinstance(repository, dict) else None
    return name if isinstance(name, str) else ""


def _kind_of(issue: Mapping[str, Any]) -> str:
    if "number" not in issue and "title" not in issue:
        return UNKNOWN
    if isinstance(issue.get("labels"), dict):
        return GRAPHQL_NODES
    camel_case = any(name in issue for name in ("createdAt", "updatedAt", "closedAt", "author"))
    return GH if camel_case and "created_at" not in issue else REST


def _is_event(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("type"), str) and isinstance(value.get("payload"), dict | str)


def _of_event(event: Mapping[str, Any]) -> PossibleShape | LeftOut:
    """An issue's state at the time of an event; BigQuery has the payload as text."""
    payload = event["payload"]
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return PossibleShape(ARCHIVE, None)
    issue = payload.get("issue") if isinstance(payload, dict) else None
    if not isinstance(issue, dict):
        reason = PULL_REQUEST if event["type"].startswith("PullRequest") else NO_ISSUE
        return LeftOut(ARCHIVE, reason)
    if issue.get("pull_request"):
        return LeftOut(ARCHIVE, PULL_REQUEST)
    return PossibleShape(ARCHIVE, issue, _name_in(event.get("repo"), "name"))


def _is_payload(value: Mapping[str, Any]) -> bool:
    """A webhook names its action, and mostly the repository; an issue in it has a number."""
    issue = value.get("issue")
    return isinstance(value.get("action"), str) and (
        isinstance(issue, dict) or isinstance(value.get("repository"), dict)
    )


def _of_payload(payload: Mapping[str, Any]) -> PossibleShape | LeftOut:
    issue = payload.get("issue")
    if not isinstance(issue, dict):
        return LeftOut(WEBHOOK, PULL_REQUEST if "pull_request" in payload else NO_ISSUE)
    if payload["action"] in {"deleted", "transferred"} and "comment" not in payload:
        return LeftOut(WEBHOOK, GONE)
    return PossibleShape(WEBHOOK, issue, _name_in(payload.get("repository"), "full_name"))


def _nodes_of(value: object, deepest: int) -> Iterator[object]:
    """The issues in it; where nothing in it could hold one, the value itself, which is none."""
    if _has_nodes(value, deepest):
        yield from _nodes(value, deepest)
    else:
        yield value


def _has_nodes(value: object, deepest: int) -> bool:
    if not isinstance(value, dict) or deepest == 0:
        return False
    lists = (value.get("nodes"), value.get("edges"))
    if "number" in value or any(isinstance(each, list) for each in lists):
        return True
    inner = (each for name, each in value.items() if name not in BESIDE)
    return any(_has_nodes(each, deepest - 1) for each in inner)


def _nodes(value: object, deepest: int) -> Iterator[object]:
    """The issues of a GraphQL answer, wherever the query put them."""
    if not isinstance(value, dict) or deepest == 0:
        return
    if "number" in value and "title" in value:
        yield value
    elif isinstance(value.get("nodes"), list):
        yield from _each(value["nodes"], deepest)
    elif isinstance(value.get("edges"), list):
        edges = (edge.get("node") if isinstance(edge, dict) else edge for edge in value["edges"])
        yield from _each(edges, deepest)
    else:
        for name, inner in value.items():
            if name not in BESIDE:
                yield from _nodes(inner, deepest - 1)


def _each(nodes: Iterable[object], deepest: int) -> Iterator[object]:
    """Issues, or the issues of each repository; what is neither is given out as it is."""
    for node in nodes:
        if isinstance(node, dict) and not {"number", "title"} & set(node):
            yield from _nodes_of(node, deepest - 1)
        else:
            yield node
