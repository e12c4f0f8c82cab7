"""Suggestions of labels and types that wait for a person: pending, then approved or dismissed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.issue_attributes import AssigneeActions
from bot.simulator.records import (
    SimulatedIssue,
    SimulatedLabel,
    SimulatedSuggestion,
    SimulatorError,
    SuggestionMode,
)
from bot.simulator.wire import type_id

if TYPE_CHECKING:
    from collections.abc import Mapping


class SuggestionActions(AssigneeActions):
    """https://docs.github.com/rest/issues: the `suggest` form of adding labels."""

    def suggest_label(
        self, full_name: str, number: int, wanted: Mapping[str, Any], *, by: str
    ) -> None:
        """Put a label before a person, as far as the repository has the feature on.

        :param wanted: GitHub's `{name, rationale, suggest, confidence}`.
        :raises StandInError: 422 where the repository refuses suggestions.
        """
        with self.lock:
            mode = self.repository(full_name).suggestions
            if mode is SuggestionMode.REFUSED or self.issue(full_name, number).pull_request:
                raise SimulatorError(422, "Issue suggestions are not enabled for this repository")
            if mode is SuggestionMode.APPLIED:
                self.add_labels(full_name, number, [str(wanted["name"])], by=by)
                return
            issue = self.issue(full_name, number)
            if not issue.carries(str(wanted["name"])):
                self._pend(issue, self.add_label(full_name, str(wanted["name"])), wanted, by)

    def suggest_type(
        self, full_name: str, number: int, wanted: Mapping[str, Any], *, by: str
    ) -> None:
        """The same of a type.

        :param wanted: GitHub's `{value, rationale, suggest, confidence}`.
        :raises SimulatorError: 422 where the repository refuses suggestions, or has no such type.
        """
        with self.lock:
            mode = self.repository(full_name).suggestions
            if mode is SuggestionMode.REFUSED:
                raise SimulatorError(422, "Issue suggestions are not enabled for this repository")
            name = self.issue_type(full_name, str(wanted["value"]))
            issue = self.issue(full_name, number)
            if mode is SuggestionMode.APPLIED:
                self.set_type(full_name, number, name, by=by)
            elif issue.type != name:
                self._pend(issue, SimulatedLabel(type_id(name), name), wanted, by, "set_type")

    def suggest_assignee(
        self, full_name: str, number: int, wanted: Mapping[str, Any], *, by: str
    ) -> None:
        """The same of an assignee.

        :param wanted: GitHub's `{login, rationale, suggest, confidence}`.
        :raises SimulatorError: 422 where the repository refuses suggestions.
        """
        with self.lock:
            mode = self.repository(full_name).suggestions
            issue, login = self.issue(full_name, number), str(wanted["login"])
            if mode is SuggestionMode.REFUSED:
                raise SimulatorError(422, "Issue suggestions are not enabled for this repository")
            if mode is SuggestionMode.APPLIED:
                self.assign(full_name, number, login, by=by)
            else:
                person = SimulatedLabel(self.actor(login).id, login)
                self._pend(issue, person, wanted, by, "add_assignee")

    def add_reasoned_label(
        self, full_name: str, number: int, wanted: Mapping[str, Any], *, by: str
    ) -> None:
        """Set a label that comes with its reasons, unless the automation level holds it back."""
        with self.lock:
            repository, issue = self._find(full_name, number)
            confidence = wanted.get("confidence")
            if issue.carries(str(wanted["name"])):
                return
            suggestible = repository.suggestions is SuggestionMode.ON and not issue.pull_request
            if not suggestible or not confidence or repository.automation.applies(confidence):
                self.add_labels(full_name, number, [str(wanted["name"])], by=by)
                if suggestible:
                    label = self.add_label(full_name, str(wanted["name"]))
                    self._pend(issue, label, wanted, by).state = "applied"
                return
            self._pend(issue, self.add_label(full_name, str(wanted["name"])), wanted, by)

    def set_reasoned_type(
        self, full_name: str, number: int, wanted: Mapping[str, Any], *, by: str
    ) -> None:
        """The same of a type.

        :param wanted: GitHub's `{value, rationale, confidence}`.
        """
        with self.lock:
            repository, issue = self._find(full_name, number)
            name, confidence = str(wanted["value"]), wanted.get("confidence")
            name = self.issue_type(full_name, name)
            suggestible = repository.suggestions is SuggestionMode.ON and not issue.pull_request
            held = suggestible and confidence and not repository.automation.applies(confidence)
            if not held and issue.type != name:
                self.set_type(full_name, number, name, by=by)
            if suggestible:
                label = SimulatedLabel(type_id(name), name)
                suggestion = self._pend(issue, label, wanted, by, "set_type")
                suggestion.state = "pending" if held else "applied"

    def _pend(
        self,
        issue: SimulatedIssue,
        label: SimulatedLabel,
        wanted: Mapping[str, Any],
        by: str,
        action: str = "add_label",
    ) -> SimulatedSuggestion:
        now = self.now()
        for older in issue.suggestions:
            same = older.label is label or older.action == action == "set_type"
            if same and older.state == "pending":
                older.state, older.updated_at = "replaced", now
        confidence = wanted.get("confidence")
        suggestion = SimulatedSuggestion(
            self.next_id(),
            label,
            self.actor(by),
            now,
            now,
            rationale=wanted.get("rationale"),
            confidence=str(confidence).upper() if confidence else None,
            action=action,
        )
        issue.suggestions.append(suggestion)
        return suggestion

    def suggestions(self, full_name: str, number: int) -> list[SimulatedSuggestion]:
        """:raises StandInError: 404 for a pull request, and without the feature."""
        issue = self.issue(full_name, number)
        if self.repository(full_name).suggestions is not SuggestionMode.ON or issue.pull_request:
            raise SimulatorError(404, "Not Found")
        return issue.suggestions

    def approve(
        self, full_name: str, number: int, suggestion_id: int, *, by: str
    ) -> SimulatedSuggestion:
        """Set what is suggested in the name of who approves: this does cause a webhook."""
        with self.lock:
            suggestion = self._pending(full_name, number, suggestion_id)
            if suggestion.action == "set_type":
                self.set_type(full_name, number, suggestion.label.name, by=by)
            elif suggestion.action == "add_assignee":
                self.assign(full_name, number, suggestion.label.name, by=by)
            else:
                self.add_labels(full_name, number, [suggestion.label.name], by=by)
            self._resolve(suggestion, "approved", by)
            events = self.issue(full_name, number).events
            suggestion.issue_event_id = events[-1].id if events else None
            return suggestion

    def dismiss(
        self, full_name: str, number: int, suggestion_id: int, *, by: str
    ) -> SimulatedSuggestion:
        """Turn a suggestion down: no event, no webhook, only its state tells."""
        with self.lock:
            suggestion = self._pending(full_name, number, suggestion_id)
            self._resolve(suggestion, "dismissed", by)
            return suggestion

    def _resolve(self, suggestion: SimulatedSuggestion, state: str, by: str) -> None:
        suggestion.state = state
        suggestion.resolved_by = self.actor(by)
        suggestion.updated_at = self.now()

    def _pending(self, full_name: str, number: int, suggestion_id: int) -> SimulatedSuggestion:
        for suggestion in self.suggestions(full_name, number):
            if suggestion.id == suggestion_id:
                if suggestion.state != "pending":
                    raise SimulatorError(422, f"The suggestion is {suggestion.state} already")
                return suggestion
        raise SimulatorError(404, "Not Found")
