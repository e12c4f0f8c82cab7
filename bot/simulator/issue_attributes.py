"""What an issue has beside labels: its native type, its single-select fields, its assignees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.actions import IssueActions
from bot.simulator.records import SimulatedField, SimulatorError
from bot.simulator.wire import field_option_json, type_json, user_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.simulator.records import Delivery


class TypeActions(IssueActions):
    """https://docs.github.com/rest/orgs/issue-types; kept with the repository, not its owner."""

    def add_issue_type(self, full_name: str, name: str) -> None:
        """Let issues of a repository have a type."""
        with self.lock:
            types = self.repository(full_name).types
            if name.lower() not in map(str.lower, types):
                types.append(name)

    def issue_type(self, full_name: str, name: str) -> str:
        """A type as the repository spells it.

        :raises SimulatorError: 422 where it has none of this name.
        """
        for known in self.repository(full_name).types:
            if known.lower() == name.lower():
                return known
        raise SimulatorError(422, f"Issue type {name!r} does not exist")

    def set_type(self, full_name: str, number: int, name: str | None, *, by: str) -> Delivery:
        """Give an issue a native type, or take its own away (None).

        One that takes the place of another causes one event and one webhook, `typed`.
        """
        with self.lock:
            repository, issue = self._find(full_name, number)
            before = issue.type
            if name is not None:
                self.add_issue_type(full_name, name)
            issue.type, issue.updated_at = name, self.now()
            self._event(issue, _event_name(before, name), by, _detail(before, name))
            action = "untyped" if name is None else "typed"
            changed = type_json(name if name is not None else before)
            return self._issue_webhook(action, repository, issue, by, {"type": changed})


class FieldActions(TypeActions):
    """https://docs.github.com/rest/orgs/issue-fields"""

    def add_issue_field(
        self, owner: str, name: str, options: Sequence[str], data_type: str = "single_select"
    ) -> SimulatedField:
        """Let issues of an organisation have a field."""
        with self.lock:
            field = SimulatedField(self.next_id(), name, data_type, tuple(options))
            self.issue_fields.setdefault(owner.lower(), []).append(field)
            return field

    def set_field(
        self, full_name: str, number: int, name: str, value: str | None, *, by: str
    ) -> Delivery:
        """Give an issue a value of a field, or clear it (None); one that changes it says so.

        :raises SimulatorError: 422 where there is no such field or value, 404 where none is to be
            cleared.
        """
        with self.lock:
            repository, issue = self._find(full_name, number)
            field = self._field(full_name, name, value)
            before = issue.fields.pop(field, None)
            if value is None and before is None:
                raise SimulatorError(404, "Not Found")
            if value is not None:
                issue.fields[field] = value
            issue.updated_at = self.now()
            verb = "removed" if value is None else "added" if before is None else "changed"
            self._event(issue, f"issue_field_{verb}", by)
            shown = value if value is not None else before
            extra: dict[str, Any] = {
                "issue_field": {"id": field.id, "name": name, "field_type": field.data_type},
                "issue_field_value": {"id": issue.id, "option": field_option_json(str(shown))},
            }
            if verb == "changed":
                old = {"id": issue.id, "option": field_option_json(str(before))}
                extra["changes"] = {"issue_field_value": {"from": old}}
            action = "field_removed" if value is None else "field_added"
            return self._issue_webhook(action, repository, issue, by, extra)

    def _field(self, full_name: str, name: str, value: str | None) -> SimulatedField:
        owner = full_name.partition("/")[0].lower()
        for field in self.issue_fields.get(owner, ()):
            if field.name == name and (value is None or value in field.options):
                return field
        raise SimulatorError(422, f"There is no field {name!r} with the value {value!r}")


class AssigneeActions(FieldActions):
    """https://docs.github.com/rest/issues/assignees"""

    def assign(self, full_name: str, number: int, login: str, *, by: str) -> Delivery:
        return self._reassign(full_name, number, login, "assigned", by)

    def unassign(self, full_name: str, number: int, login: str, *, by: str) -> Delivery:
        return self._reassign(full_name, number, login, "unassigned", by)

    def _reassign(self, full_name: str, number: int, login: str, action: str, by: str) -> Delivery:
        with self.lock:
            repository, issue = self._find(full_name, number)
            assignee, others = self.actor(login), [a for a in issue.assignees if a.login != login]
            issue.assignees = [*others, assignee] if action == "assigned" else others
            issue.updated_at = self.now()
            content = {"assignee": user_json(assignee)}
            self._event(issue, action, by, content)
            return self._issue_webhook(action, repository, issue, by, content)


def _event_name(before: str | None, after: str | None) -> str:
    if after is None:
        return "issue_type_removed"
    return "issue_type_added" if before is None else "issue_type_changed"


def _detail(before: str | None, after: str | None) -> dict[str, Any]:
    types = {"prev_issue_type": before, "issue_type": after}
    return {key: type_json(name) for key, name in types.items() if name is not None}
