"""Single-select fields: which an organisation has, and what people and bots do to an issue's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.issue_types import TypeActions
from bot.simulator.records import SimulatedField, SimulatorError
from bot.simulator.wire import field_option_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.simulator.records import Delivery


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
