"""Who is assigned to issues: by people, and by approving a suggestion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.simulator.issue_types import TypeActions
from bot.simulator.wire import user_json

if TYPE_CHECKING:
    from bot.simulator.records import Delivery


class AssigneeActions(TypeActions):
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
