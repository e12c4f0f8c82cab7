"""Native issue types: which a repository has, and what people and bots do to an issue's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.actions import IssueActions
from bot.simulator.records import SimulatorError
from bot.simulator.wire import type_json

if TYPE_CHECKING:
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


def _event_name(before: str | None, after: str | None) -> str:
    if after is None:
        return "issue_type_removed"
    return "issue_type_added" if before is None else "issue_type_changed"


def _detail(before: str | None, after: str | None) -> dict[str, Any]:
    types = {"prev_issue_type": before, "issue_type": after}
    return {key: type_json(name) for key, name in types.items() if name is not None}
