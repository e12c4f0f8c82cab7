"""The simulator's GraphQL: the very documents that the client sends, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.github.discussions import ADD, IDS, LIST, ONE, REMOVE
from bot.simulator.calls import Call, Reply
from bot.simulator.records import SimulatorError
from bot.simulator.wire import association, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bot.simulator.records import SimulatedIssue, SimulatedLabel, SimulatedRepository

Json = dict[str, Any]
_TYPES = {401: "FORBIDDEN", 403: "FORBIDDEN", 404: "NOT_FOUND"}


def graphql(call: Call) -> Reply:
    """Errors have status 200, as GitHub's have, and beside them there is no data."""
    handler = _HANDLERS.get(call.field("query"))
    if handler is None:
        raise SimulatorError(422, "a document that the client does not send")
    try:
        return Reply(200, {"data": handler(call, call.field("variables"))})
    except SimulatorError as refusal:
        if refusal.status == 401:
            raise
        kind = _TYPES.get(refusal.status, "UNPROCESSABLE")
        return Reply(200, {"data": None, "errors": [{"type": kind, "message": refusal.message}]})


def _list(call: Call, given: Json) -> Json:
    repository = _repository(call, given, "read")
    discussions = sorted(
        _discussions(repository), key=lambda each: (each.updated_at, each.number), reverse=True
    )
    start, size = int(given["after"] or 0), given["first"]
    shown = discussions[start : start + size]
    following = start + len(shown) < len(discussions)
    info = {"hasNextPage": following, "endCursor": str(start + len(shown)) if shown else None}
    nodes = [_discussion_json(repository, each) for each in shown]
    return _of(repository, discussions={"nodes": nodes, "pageInfo": info})


def _one(call: Call, given: Json) -> Json:
    repository = _repository(call, given, "read")
    discussion = _numbered(repository, given["number"])
    return _of(repository, discussion=_discussion_json(repository, discussion))


def _ids(call: Call, given: Json) -> Json:
    repository = _repository(call, given, "read")
    discussion = _numbered(repository, given["number"])
    label = repository.labels.get(given["label"].lower())
    named = {"id": _label_id(label), "name": label.name} if label else None
    return _of(repository, discussion={"id": _id(discussion)}, label=named)


def _add(call: Call, given: Json) -> Json:
    repository, discussion = _by_id(call, given["labelable"])
    names = _label_names(repository, given["labels"])
    name, by = repository.full_name, call.identity.login
    call.state.add_labels(name, discussion.number, names, by=by)
    return {"addLabelsToLabelable": {"labelable": _labels(discussion)}}


def _remove(call: Call, given: Json) -> Json:
    repository, discussion = _by_id(call, given["labelable"])
    for name in filter(discussion.carries, _label_names(repository, given["labels"])):
        by = call.identity.login
        call.state.remove_label(repository.full_name, discussion.number, name, by=by)
    return {"removeLabelsFromLabelable": {"labelable": _labels(discussion)}}


_HANDLERS: dict[str, Callable[[Call, Json], Json]] = {
    LIST: _list,
    ONE: _one,
    IDS: _ids,
    ADD: _add,
    REMOVE: _remove,
}


def _repository(call: Call, given: Json, level: str) -> SimulatedRepository:
    full_name = f"{given['owner']}/{given['name']}"
    full_name = call.state.renamed.get(full_name.lower(), full_name)  # GraphQL follows renames
    owner, _, name = full_name.partition("/")
    asked = replace(call, path={"owner": owner, "name": name})
    return asked.asset("discussions", level)


def _by_id(call: Call, node_id: str) -> tuple[SimulatedRepository, SimulatedIssue]:
    for repository in call.state.repositories.values():
        for discussion in _discussions(repository):
            if _id(discussion) == node_id:
                owner, _, name = repository.full_name.partition("/")
                return _repository(call, {"owner": owner, "name": name}, "write"), discussion
    raise SimulatorError(404, f"Could not resolve to a node with the global id of '{node_id}'")


def _discussions(repository: SimulatedRepository) -> Iterator[SimulatedIssue]:
    return (issue for issue in repository.issues.values() if issue.category is not None)


def _numbered(repository: SimulatedRepository, number: int) -> SimulatedIssue:
    for discussion in _discussions(repository):
        if discussion.number == number:
            return discussion
    raise SimulatorError(404, f"Could not resolve to a Discussion with the number of {number}.")


def _label_names(repository: SimulatedRepository, node_ids: Iterable[str]) -> list[str]:
    names = {_label_id(label): label.name for label in repository.labels.values()}
    missing = [node_id for node_id in node_ids if node_id not in names]
    if missing:
        raise SimulatorError(404, f"Could not resolve to a node with the global id of {missing}")
    return [names[node_id] for node_id in node_ids]


def _of(repository: SimulatedRepository, **fields: Json | None) -> Json:
    return {"repository": {"nameWithOwner": repository.full_name, **fields}}


def _id(discussion: SimulatedIssue) -> str:
    return f"D_{discussion.id}"


def _label_id(label: SimulatedLabel) -> str:
    return f"LA_{label.id}"


def _labels(discussion: SimulatedIssue) -> Json:
    nodes = [
        {"name": each.name, "description": each.description or None, "color": each.color}
        for each in discussion.labels
    ]
    return {"labels": {"nodes": nodes}}


def _discussion_json(repository: SimulatedRepository, discussion: SimulatedIssue) -> Json:
    author = discussion.author
    login = author.login.removesuffix("[bot]")  # as GraphQL has it
    return {
        "id": _id(discussion),
        "number": discussion.number,
        "title": discussion.title,
        "body": discussion.body or "",
        "createdAt": moment(discussion.created_at),
        "updatedAt": moment(discussion.updated_at),
        "closed": discussion.state == "closed",
        "closedAt": moment(discussion.closed_at),
        "locked": discussion.locked,
        "url": f"https://github.com/{repository.full_name}/discussions/{discussion.number}",
        "authorAssociation": association(repository, author),
        "author": {"login": login, "__typename": author.type},
        "category": {"name": discussion.category},
        **_labels(discussion),
    }
