"""The simulator's REST routes about issues, labels, comments and suggestions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.simulator.calls import Call, Reply
from bot.simulator.records import SimulatedIssue, SimulatorError
from bot.simulator.wire import (
    comment_json,
    event_json,
    field_json,
    issue_json,
    label_json,
    suggestion_json,
    type_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.simulator.calls import Route
    from bot.simulator.records import SimulatedSuggestion


def list_issues(call: Call) -> Reply:
    repository = call.asset("issues", "read")
    issues = [issue for issue in repository.issues.values() if _wanted(issue, call.query)]
    issues = [issue for issue in issues if issue.category is None]
    by_update = call.query.get("sort") == "updated"
    issues.sort(
        key=lambda issue: (issue.updated_at if by_update else issue.created_at, issue.number),
        reverse=call.query.get("direction", "desc") == "desc",
    )
    page = call.page(issues)
    rendered = [issue_json(repository, issue, call.base_url) for issue in page.data]
    return Reply(200, rendered, page.headers)


def _wanted(issue: SimulatedIssue, query: Mapping[str, str]) -> bool:
    state = query.get("state", "open")
    since = query.get("since")
    recent = since is None or issue.updated_at >= _moment(since)
    labels = [name for name in query.get("labels", "").split(",") if name]
    return recent and state in {"all", issue.state} and all(map(issue.carries, labels))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SimulatorError(422, f"since is not a timestamp: {text}") from None


def create_issue(call: Call) -> Reply:
    repository = call.asset("comments", "write")
    call.state.open_issue(
        repository.full_name,
        str(call.field("title")),
        call.json.get("body"),
        by=call.identity.login,
        labels=call.json.get("labels") or (),
    )
    return _issue(call, max(repository.issues), 201)


def get_issue(call: Call) -> Reply:
    call.asset("issues", "read")
    return _issue(call, call.number)


def edit_issue(call: Call) -> Reply:
    call.asset("issues", "write")
    sent = call.json or {}
    name, number, by = call.full_name, call.number, call.identity.login
    if {"title", "body"} & set(sent):
        call.state.edit_issue(name, number, by=by, title=sent.get("title"), body=sent.get("body"))
    if sent.get("state") not in {None, call.state.issue(name, number).state}:
        call.state.set_state(name, number, sent["state"], by=by)
    if "type" in sent:
        _change_type(call, sent["type"])
    return _issue(call, number)


def _change_type(call: Call, wanted: Any) -> None:
    """Set, take away or suggest a type; without push access GitHub drops it and says nothing."""
    name, number, by = call.full_name, call.number, call.identity.login
    if not call.may_write(call.state.repository(name)):
        return
    if isinstance(wanted, dict) and wanted.get("suggest"):
        call.state.suggest_type(name, number, wanted, by=by)
        return
    if isinstance(wanted, dict) and wanted.get("value") is not None:
        call.state.set_reasoned_type(name, number, wanted, by=by)
        return
    value = None if isinstance(wanted, dict) else wanted
    value = None if value is None else call.state.issue_type(name, value)
    if value != call.state.issue(name, number).type:
        call.state.set_type(name, number, value, by=by)


def list_issue_types(call: Call) -> Reply:
    types = call.asset("issues", "read").types
    return Reply(200, [type_json(name) for name in types])


def list_issue_fields(call: Call) -> Reply:
    fields = call.state.issue_fields.get(call.path["org"].lower())
    if fields is None:  # a person has none
        raise SimulatorError(404, "Not Found")
    return Reply(200, [field_json(field) for field in fields])


def _issue(call: Call, number: int, status: int = 200) -> Reply:
    repository = call.state.repository(call.full_name)
    issue = call.state.issue(call.full_name, number)
    return Reply(status, issue_json(repository, issue, call.base_url))


def changed_files(call: Call) -> Reply:
    call.asset("pull_requests", "read")
    issue = call.state.issue(call.full_name, call.number)
    if not issue.pull_request:
        raise SimulatorError(404, "Not Found")
    return call.page([{"filename": path, "status": "modified"} for path in issue.paths])


def timeline(call: Call) -> Reply:
    call.asset("issues", "read")
    events = call.state.issue(call.full_name, call.number).events
    return call.page([event_json(event) for event in events])


def repository_events(call: Call) -> Reply:
    repository = call.asset("issues", "read")
    events = [
        (event, issue)
        for issue in repository.issues.values()
        for event in issue.events
        if event.event != "commented" and issue.category is None
    ]
    events.sort(key=lambda pair: (pair[0].created_at, pair[0].id), reverse=True)
    page = call.page(events)
    rendered = [
        event_json(event) | {"issue": issue_json(repository, issue, call.base_url)}
        for event, issue in page.data
    ]
    return Reply(200, rendered, page.headers)


def list_labels(call: Call) -> Reply:
    repository = call.asset("issues", "read")
    return call.page([label_json(label) for label in repository.labels.values()])


def add_labels(call: Call) -> Reply:
    """Set names and objects; objects with `suggest: true` become suggestions.

    One with a confidence does too where the automation level asks for more.
    """
    call.asset("issues", "write")
    sent = call.json.get("labels") if isinstance(call.json, dict) else call.json
    if not isinstance(sent, list) or not sent:
        raise SimulatorError(422, "labels must be a list of at least one")
    wanted = [label if isinstance(label, dict) else {"name": str(label)} for label in sent]
    if not all(label.get("name") for label in wanted):
        raise SimulatorError(422, "a label needs a name")
    by = call.identity.login
    for label in wanted:
        if label.get("suggest"):
            call.state.suggest_label(call.full_name, call.number, label, by=by)
        elif {"rationale", "confidence"} & label.keys():
            call.state.add_reasoned_label(call.full_name, call.number, label, by=by)
        else:
            call.state.add_labels(call.full_name, call.number, [str(label["name"])], by=by)
    return _labels_of_issue(call)


def remove_label(call: Call) -> Reply:
    call.asset("issues", "write")
    by = call.identity.login
    call.state.remove_label(call.full_name, call.number, call.path["label"], by=by)
    return _labels_of_issue(call)


def delete_label(call: Call) -> Reply:
    call.asset("issues", "write")
    call.state.delete_label(call.full_name, call.path["label"], by=call.identity.login)
    return Reply(204)


def _labels_of_issue(call: Call) -> Reply:
    issue = call.state.issue(call.full_name, call.number)
    return Reply(200, [label_json(label) for label in issue.labels])


def add_assignees(call: Call) -> Reply:
    """Assign logins; objects with `suggest: true` become suggestions."""
    call.asset("issues", "write")
    by = call.identity.login
    for assignee in call.field("assignees"):
        if isinstance(assignee, dict) and assignee.get("suggest"):
            call.state.suggest_assignee(call.full_name, call.number, assignee, by=by)
        else:
            login = assignee["login"] if isinstance(assignee, dict) else str(assignee)
            call.state.assign(call.full_name, call.number, login, by=by)
    return _issue(call, call.number, 201)


def list_comments(call: Call) -> Reply:
    repository = call.asset("issues", "read")
    comments = call.state.issue(call.full_name, call.number).comments
    return call.page([comment_json(repository, comment) for comment in comments])


def repository_comments(call: Call) -> Reply:
    repository = call.asset("issues", "read")
    since = call.query.get("since")
    comments = [
        comment
        for issue in repository.issues.values()
        for comment in issue.comments
        if since is None or comment.updated_at >= _moment(since)
    ]
    by_update = call.query.get("sort") == "updated"
    comments.sort(
        key=lambda each: (each.updated_at if by_update else each.created_at, each.id),
        reverse=call.query.get("direction") == "desc",
    )
    page = call.page(comments)
    shown = [comment_json(repository, comment, call.base_url) for comment in page.data]
    return Reply(200, shown, page.headers)


def create_comment(call: Call) -> Reply:
    repository = call.asset("comments", "write")
    issue = call.state.issue(call.full_name, call.number)
    if issue.locked and not call.may_write(repository):
        raise SimulatorError(403, "Unable to create comment because issue is locked.")
    caused = call.state.comment(
        call.full_name, call.number, str(call.field("body")), by=call.identity.login
    )
    return Reply(201, caused.payload["comment"])


def edit_comment(call: Call) -> Reply:
    call.asset("issues", "write")
    caused = call.state.edit_comment(
        call.full_name, call.integer("comment"), str(call.field("body")), by=call.identity.login
    )
    return Reply(200, caused.payload["comment"])


def list_suggestions(call: Call) -> Reply:
    call.asset("issues", "read")
    state, action = call.query.get("state", "pending"), call.query.get("action")
    issue = call.state.issue(call.full_name, call.number)
    suggestions = [
        suggestion_json(issue, suggestion)
        for suggestion in call.state.suggestions(call.full_name, call.number)
        if state in {"all", suggestion.state} and action in {None, suggestion.action}
    ]
    return call.page(suggestions)


def approve_suggestion(call: Call) -> Reply:
    return _resolved(call, call.state.approve)


def dismiss_suggestion(call: Call) -> Reply:
    return _resolved(call, call.state.dismiss)


def _resolved(call: Call, resolve: Callable[..., SimulatedSuggestion]) -> Reply:
    call.asset("issues", "write")
    number, suggestion_id = call.number, call.integer("suggestion")
    done = resolve(call.full_name, number, suggestion_id, by=call.identity.login)
    return Reply(200, suggestion_json(call.state.issue(call.full_name, number), done))


_ISSUES = "/repos/{owner}/{name}/issues"
_ISSUE = f"{_ISSUES}/{{number:int}}"
ISSUE_ROUTES: tuple[Route, ...] = (
    ("GET", _ISSUES, list_issues),
    ("POST", _ISSUES, create_issue),
    ("GET", f"{_ISSUES}/events", repository_events),
    ("GET", f"{_ISSUES}/comments", repository_comments),
    ("PATCH", f"{_ISSUES}/comments/{{comment}}", edit_comment),
    ("GET", _ISSUE, get_issue),
    ("PATCH", _ISSUE, edit_issue),
    ("GET", f"{_ISSUE}/timeline", timeline),
    ("GET", f"{_ISSUE}/comments", list_comments),
    ("POST", f"{_ISSUE}/comments", create_comment),
    ("POST", f"{_ISSUE}/labels", add_labels),
    ("POST", f"{_ISSUE}/assignees", add_assignees),
    ("DELETE", f"{_ISSUE}/labels/{{label:path}}", remove_label),
    ("GET", f"{_ISSUE}/suggestions", list_suggestions),
    ("POST", f"{_ISSUE}/suggestions/{{suggestion}}/approve", approve_suggestion),
    ("POST", f"{_ISSUE}/suggestions/{{suggestion}}/dismiss", dismiss_suggestion),
    ("GET", "/repos/{owner}/{name}/pulls/{number:int}/files", changed_files),
    ("GET", "/repos/{owner}/{name}/issue-types", list_issue_types),
    ("GET", "/orgs/{org}/issue-fields", list_issue_fields),
    ("GET", "/repos/{owner}/{name}/labels", list_labels),
    ("DELETE", "/repos/{owner}/{name}/labels/{label:path}", delete_label),
)
