"""The simulator's records as the JSON that GitHub's REST API and webhooks carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from bot.simulator.records import ROLES

if TYPE_CHECKING:
    from datetime import datetime

    from bot.simulator.apps import SimulatedApp, SimulatedInstallation
    from bot.simulator.records import (
        Actor,
        Delivery,
        EventRecord,
        SimulatedCheckRun,
        SimulatedComment,
        SimulatedField,
        SimulatedIssue,
        SimulatedLabel,
        SimulatedRepository,
        SimulatedSuggestion,
    )

Json = dict[str, Any]


def moment(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def user_json(actor: Actor) -> Json:
    return {"login": actor.login, "id": actor.id, "type": actor.type, "site_admin": False}


def repository_json(repository: SimulatedRepository) -> Json:
    owner, _, name = repository.full_name.partition("/")
    return {
        "id": repository.id,
        "name": name,
        "full_name": repository.full_name,
        "owner": user_json(repository.owner) | {"login": owner},
        "private": repository.private,
        "archived": repository.archived,
        "has_issues": True,
        "has_discussions": True,
        "default_branch": repository.default_branch,
        "html_url": f"https://github.com/{repository.full_name}",
    }


def permissions_json(repository: SimulatedRepository, login: str) -> Json:
    """What a login may do, as GitHub lists it beside a repository."""
    rank = ROLES.index(repository.role(login))
    needed = {"pull": "read", "triage": "triage", "push": "write"}
    needed |= {"maintain": "maintain", "admin": "admin"}
    return {name: rank >= ROLES.index(role) for name, role in needed.items()}


def label_json(label: SimulatedLabel) -> Json:
    return {
        "id": label.id,
        "name": label.name,
        "description": label.description or None,
        "color": label.color,
        "default": False,
    }


def issue_json(repository: SimulatedRepository, issue: SimulatedIssue, base_url: str) -> Json:
    api = f"{base_url}/repos/{repository.full_name}"
    kind = "pull" if issue.pull_request else "issues"
    rendered: Json = {
        "id": issue.id,
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state,
        "user": user_json(issue.author),
        "author_association": association(repository, issue.author),
        "labels": [label_json(label) for label in issue.labels],
        "assignees": [user_json(assignee) for assignee in issue.assignees],
        "comments": len(issue.comments),
        "locked": issue.locked,
        "type": type_json(issue.type),
        "issue_field_values": [field_value_json(*pair) for pair in issue.fields.items()],
        "created_at": moment(issue.created_at),
        "updated_at": moment(issue.updated_at),
        "closed_at": moment(issue.closed_at),
        "url": f"{api}/issues/{issue.number}",
        "repository_url": api,
        "html_url": f"https://github.com/{repository.full_name}/{kind}/{issue.number}",
    }
    if issue.pull_request:
        rendered["pull_request"] = {"url": f"{api}/pulls/{issue.number}"}
    return rendered


def pull_request_json(
    repository: SimulatedRepository, issue: SimulatedIssue, base_url: str
) -> Json:
    """A pull request as its webhooks show it: under another id than its issue."""
    shown = issue_json(repository, issue, base_url)
    left_out = {"pull_request", "type", "issue_field_values", "repository_url", "comments"}
    url = f"{base_url}/repos/{repository.full_name}/pulls/{issue.number}"
    shown = {name: value for name, value in shown.items() if name not in left_out}
    return {**shown, "id": issue.id + 1_000_000, "url": url, "draft": False, "merged": False}


def discussion_json(repository: SimulatedRepository, issue: SimulatedIssue, base_url: str) -> Json:
    """A discussion as its webhooks show it: GitHub's own examples name no labels."""
    shown = issue_json(repository, issue, base_url)
    page = f"https://github.com/{repository.full_name}/discussions/{issue.number}"
    shown = {name: value for name, value in shown.items() if name not in {"type", "url", "labels"}}
    category = {"id": type_id(issue.category or ""), "name": issue.category}
    return {**shown, "category": category, "html_url": page, "node_id": f"D_{issue.id}"}


def type_json(name: str | None) -> Json | None:
    """A native issue type, or none; the id follows from the name."""
    return None if name is None else {"id": type_id(name), "name": name, "description": None}


def type_id(name: str) -> int:
    return crc32(name.encode())


def field_json(field: SimulatedField) -> Json:
    return {
        "id": field.id,
        "node_id": f"IF_{field.id}",
        "name": field.name,
        "data_type": field.data_type,
        "options": [field_option_json(option) for option in field.options],
    }


def field_option_json(name: str) -> Json:
    return {"id": crc32(name.encode()), "name": name, "color": "gray"}


def field_value_json(field: SimulatedField, value: str) -> Json:
    return {
        "issue_field_id": field.id,
        "issue_field_name": field.name,
        "node_id": f"IFV_{field.id}",
        "data_type": field.data_type,
        "value": value,
        "single_select_option": field_option_json(value),
    }


def association(repository: SimulatedRepository, actor: Actor) -> str:
    if actor.login == repository.owner.login:
        return "OWNER"
    return "COLLABORATOR" if actor.login in repository.roles else "NONE"


def event_json(event: EventRecord) -> Json:
    return {
        "id": event.id,
        "event": event.event,
        "actor": user_json(event.actor),
        "created_at": moment(event.created_at),
        "commit_id": None,
        "commit_url": None,
        "performed_via_github_app": {"slug": event.via_app} if event.via_app else None,
        **event.detail,
    }


def comment_json(
    repository: SimulatedRepository, comment: SimulatedComment, base_url: str = ""
) -> Json:
    page = f"https://github.com/{repository.full_name}/issues/{comment.issue_number}"
    return {
        "id": comment.id,
        "body": comment.body,
        "user": user_json(comment.author),
        "author_association": association(repository, comment.author),
        "created_at": moment(comment.created_at),
        "updated_at": moment(comment.updated_at),
        "html_url": f"{page}#issuecomment-{comment.id}",
        "issue_url": f"{base_url}/repos/{repository.full_name}/issues/{comment.issue_number}",
    }


def suggestion_json(issue: SimulatedIssue, suggestion: SimulatedSuggestion) -> Json:
    return {
        "id": suggestion.id,
        "issue_id": issue.id,
        "action": suggestion.action,
        "state": suggestion.state,
        "target_id": suggestion.label.id,
        "target_value": None,
        "rationale": suggestion.rationale,
        "confidence": suggestion.confidence,
        "actor_id": suggestion.actor.id,
        "issue_event_id": suggestion.issue_event_id,
        "resolved_by": suggestion.resolved_by.id if suggestion.resolved_by else None,
        "created_at": moment(suggestion.created_at),
        "updated_at": moment(suggestion.updated_at),
    }


def check_run_json(run: SimulatedCheckRun) -> Json:
    return {
        "id": run.id,
        "name": run.name,
        "head_sha": run.head_sha,
        "status": run.status,
        "conclusion": run.conclusion,
        "output": {"title": None, "summary": None, "text": None, **run.output},
    }


def app_json(app: SimulatedApp) -> Json:
    return {
        "id": app.id,
        "slug": app.slug,
        "name": app.name,
        "owner": user_json(app.owner),
        "html_url": f"https://github.com/apps/{app.slug}",
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation_json(installation: SimulatedInstallation) -> Json:
    return {
        "id": installation.id,
        "app_id": installation.app.id,
        "account": user_json(installation.account),
        "repository_selection": "selected",
        "permissions": dict(installation.permissions),
        "suspended_at": moment(installation.suspended_at),
    }


def delivery_json(delivery: Delivery) -> Json:
    code = delivery.status_code or 0
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "event": delivery.event,
        "action": delivery.payload.get("action"),
        "status": "OK" if 200 <= code < 400 else "failed",
        "status_code": code,
        "redelivery": delivery.redelivery,
        "delivered_at": moment(delivery.delivered_at or delivery.created_at),
        "duration": 0.1,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
    }


def delivery_in_full(delivery: Delivery) -> Json:
    payload = None if delivery.dropped else delivery.payload
    return {
        **delivery_json(delivery),
        "request": {"headers": {"X-GitHub-Event": delivery.event}, "payload": payload},
        "response": {"headers": {}, "payload": None},
    }
