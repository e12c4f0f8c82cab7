"""What people and bots do to issues and labels; each act leaves an event and a webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.simulator.records import (
    Delivery,
    EventRecord,
    SimulatedComment,
    SimulatedIssue,
    SimulatedLabel,
    SimulatedRepository,
    SimulatorError,
)
from bot.simulator.wire import (
    comment_json,
    discussion_json,
    issue_json,
    label_json,
    pull_request_json,
)
from bot.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class IssueActions(World):
    """Acting on issues. `by` is the login of whoever acts; most return the webhook it causes."""

    def add_label(
        self, full_name: str, name: str, description: str = "", color: str = "ededed"
    ) -> SimulatedLabel:
        """Create a label in a repository, or return the one that is there."""
        with self.lock:
            labels = self.repository(full_name).labels
            if name.lower() not in labels:
                labels[name.lower()] = SimulatedLabel(self.next_id(), name, description, color)
            return labels[name.lower()]

    def rename_label(self, full_name: str, name: str, new_name: str, by: str) -> Delivery:
        with self.lock:
            repository = self.repository(full_name)
            label = self._known_label(repository, name)
            del repository.labels[name.lower()]
            label.name = new_name
            repository.labels[new_name.lower()] = label
            content = {"action": "edited", "changes": {"name": {"from": name}}}
            return self.emit("label", by, repository, {**content, "label": label_json(label)})

    def delete_label(self, full_name: str, name: str, by: str) -> Delivery:
        with self.lock:
            repository = self.repository(full_name)
            label = self._known_label(repository, name)
            for issue in repository.issues.values():
                for suggestion in issue.suggestions:
                    if suggestion.label is label and suggestion.state == "pending":
                        suggestion.state = "invalidated"
                if label in issue.labels:
                    self._take_off(repository, issue, label, by)
            del repository.labels[name.lower()]
            content = {"action": "deleted", "label": label_json(label)}
            return self.emit("label", by, repository, content)

    def open_issue(
        self,
        full_name: str,
        title: str,
        body: str | None = "",
        *,
        by: str = "reporter",
        labels: Sequence[str] = (),
        pull_request: bool = False,
        paths: Sequence[str] = (),
        category: str | None = None,
    ) -> Delivery:
        """File an issue, or open a pull request that changes `paths`; returns the webhook.

        :param category: begins a discussion in it.
        """
        with self.lock:
            repository = self.repository(full_name)
            number = repository.next_number()
            issue = self._new_issue(repository, number, (title, body), by, self.now())
            issue.pull_request, issue.paths = pull_request, tuple(paths)
            issue.category = category
            for name in labels:
                issue.labels.append(self.add_label(full_name, name))
            opened = self._issue_webhook("opened", repository, issue, by)
            for label in issue.labels:
                self._label_event("labeled", repository, issue, label, by)
            return opened

    def import_issue(
        self, full_name: str, row: Mapping[str, Any], labelled_by: str = "maintainer"
    ) -> SimulatedIssue:
        """Take over an issue in the shape of GitHub's REST `issues`; causes no webhook."""
        with self.lock:
            repository = self.repository(full_name)
            author = (row.get("user") or {}).get("login") or "ghost"
            created = _time(row.get("created_at")) or self.now()
            text = (row.get("title") or "", row.get("body"))
            issue = self._new_issue(repository, int(row["number"]), text, author, created)
            issue.updated_at = _time(row.get("updated_at")) or created
            issue.closed_at = _time(row.get("closed_at"))
            issue.state = row.get("state") or "open"
            issue.pull_request = row.get("pull_request") is not None
            issue.type = (row.get("type") or {}).get("name")
            for entry in row.get("labels") or ():
                name = entry if isinstance(entry, str) else entry["name"]
                label = self.add_label(full_name, name)
                issue.labels.append(label)
                self._event(issue, "labeled", labelled_by, _label_detail(label), at=created)
            return issue

    def edit_issue(
        self,
        full_name: str,
        number: int,
        *,
        by: str,
        title: str | None = None,
        body: str | None = None,
    ) -> Delivery:
        with self.lock:
            repository, issue = self._find(full_name, number)
            changes: dict[str, Any] = {}
            if title is not None and title != issue.title:
                changes["title"] = {"from": issue.title}
                renamed = {"rename": {"from": issue.title, "to": title}}
                self._event(issue, "renamed", by, renamed)
                issue.title = title
            if body is not None and body != issue.body:
                changes["body"] = {"from": issue.body}
                issue.body = body
            issue.updated_at = self.now()
            return self._issue_webhook("edited", repository, issue, by, {"changes": changes})

    def set_category(self, full_name: str, number: int, category: str, *, by: str) -> Delivery:
        """File a discussion under another category."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            changes = {"category": {"from": {"name": issue.category}}}
            issue.category, issue.updated_at = category, self.now()
            extra = {"changes": changes}
            return self._issue_webhook("category_changed", repository, issue, by, extra)

    def set_state(self, full_name: str, number: int, state: str, *, by: str) -> Delivery:
        """Close ("closed") or reopen ("open") an issue."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            action = "closed" if state == "closed" else "reopened"
            issue.state = state
            issue.closed_at = self.now() if state == "closed" else None
            issue.updated_at = self.now()
            self._event(issue, action, by)
            return self._issue_webhook(action, repository, issue, by)

    def set_locked(self, full_name: str, number: int, locked: bool, *, by: str) -> Delivery:
        """Lock or unlock a conversation."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            action = "locked" if locked else "unlocked"
            issue.locked = locked
            issue.updated_at = self.now()
            self._event(issue, action, by)
            return self._issue_webhook(action, repository, issue, by)

    def add_labels(
        self, full_name: str, number: int, names: Sequence[str], *, by: str
    ) -> list[Delivery]:
        """Set labels, creating those the repository has not got; what is set already stays."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            caused = []
            for name in names:
                if issue.carries(name):
                    continue
                if name.lower() not in repository.labels:
                    created = {
                        "action": "created",
                        "label": label_json(self.add_label(full_name, name)),
                    }
                    caused.append(self.emit("label", by, repository, created))
                label = self.add_label(full_name, name)
                issue.labels.append(label)
                issue.updated_at = self.now()
                caused.append(self._label_event("labeled", repository, issue, label, by))
            return caused

    def remove_label(self, full_name: str, number: int, name: str, *, by: str) -> Delivery:
        """:raises StandInError: 404 where the issue does not carry it."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            for label in issue.labels:
                if label.name.lower() == name.lower():
                    return self._take_off(repository, issue, label, by)
            raise SimulatorError(404, "Label does not exist")

    def comment(self, full_name: str, number: int, body: str, *, by: str) -> Delivery:
        with self.lock:
            repository, issue = self._find(full_name, number)
            now = self.now()
            comment = SimulatedComment(self.next_id(), self.actor(by), body, now, now, number)
            issue.comments.append(comment)
            issue.updated_at = now
            detail = {"body": body, "user": {"login": by}}
            self._event(issue, "commented", by, detail)
            return self._comment_webhook("created", repository, issue, comment, by)

    def edit_comment(self, full_name: str, comment_id: int, body: str, *, by: str) -> Delivery:
        """:raises StandInError: 404."""
        with self.lock:
            repository = self.repository(full_name)
            for issue in repository.issues.values():
                for comment in issue.comments:
                    if comment.id == comment_id:
                        comment.body, comment.updated_at = body, self.now()
                        return self._comment_webhook("edited", repository, issue, comment, by)
            raise SimulatorError(404, "Not Found")

    def _find(self, full_name: str, number: int) -> tuple[SimulatedRepository, SimulatedIssue]:
        return self.repository(full_name), self.issue(full_name, number)

    def _known_label(self, repository: SimulatedRepository, name: str) -> SimulatedLabel:
        if name.lower() not in repository.labels:
            raise SimulatorError(404, "Not Found")
        return repository.labels[name.lower()]

    def _new_issue(
        self,
        repository: SimulatedRepository,
        number: int,
        text: tuple[str, str | None],
        by: str,
        at: datetime,
    ) -> SimulatedIssue:
        title, body = text
        issue = SimulatedIssue(number, self.next_id(), title, body, self.actor(by), at, at)
        repository.issues[number] = issue
        repository.last_number = max(repository.last_number, number)
        return issue

    def _take_off(
        self, repository: SimulatedRepository, issue: SimulatedIssue, label: SimulatedLabel, by: str
    ) -> Delivery:
        issue.labels.remove(label)
        issue.updated_at = self.now()
        return self._label_event("unlabeled", repository, issue, label, by)

    def _label_event(
        self,
        action: str,
        repository: SimulatedRepository,
        issue: SimulatedIssue,
        label: SimulatedLabel,
        by: str,
    ) -> Delivery:
        self._event(issue, action, by, _label_detail(label))
        return self._issue_webhook(action, repository, issue, by, {"label": label_json(label)})

    def _event(
        self,
        issue: SimulatedIssue,
        event: str,
        by: str,
        detail: dict[str, Any] | None = None,
        at: datetime | None = None,
    ) -> EventRecord:
        actor = self.actor(by)
        via = by.removesuffix("[bot]") if actor.type == "Bot" else None
        record = EventRecord(self.next_id(), event, actor, at or self.now(), detail or {}, via)
        issue.events.append(record)
        return record

    def _issue_webhook(
        self,
        action: str,
        repository: SimulatedRepository,
        issue: SimulatedIssue,
        by: str,
        extra: dict[str, Any] | None = None,
    ) -> Delivery:
        if issue.pull_request:
            # GitHub tells of pull requests in events of their own
            shown = pull_request_json(repository, issue, self.url)
            content = {"action": action, "number": issue.number, "pull_request": shown}
            content |= extra or {}
            return self.emit("pull_request", by, repository, content)
        if issue.category is not None:
            content = {
                "action": "created" if action == "opened" else action,
                "discussion": discussion_json(repository, issue, self.url),
                **(extra or {}),
            }
            return self.emit("discussion", by, repository, content)
        rendered = issue_json(repository, issue, self.url)
        content = {"action": action, "issue": rendered, **(extra or {})}
        return self.emit("issues", by, repository, content)

    def _comment_webhook(
        self,
        action: str,
        repository: SimulatedRepository,
        issue: SimulatedIssue,
        comment: SimulatedComment,
        by: str,
    ) -> Delivery:
        content = {
            "action": action,
            "issue": issue_json(repository, issue, self.url),
            "comment": comment_json(repository, comment),
        }
        return self.emit("issue_comment", by, repository, content)


def _label_detail(label: SimulatedLabel) -> dict[str, Any]:
    return {"label": {"name": label.name, "color": label.color}}


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
