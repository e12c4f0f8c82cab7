"""Suggestions of labels and types that wait for a person: pending, then approved or dismissed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.simulator.issue_types import TypeActions
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


class SuggestionActions(TypeActions):
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
            if mode is SuggestionMode.REFUSED:
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
            name, issue = (
                self.issue_type(full_name, str(wanted["value"])),
                self.issue(full_name, number),
            )
            if mode is SuggestionMode.APPLIED:
                self.set_type(full_name, number, name, by=by)
            elif issue.type != name:
                self._pend(issue, SimulatedLabel(type_id(name), name), wanted, by, "set_type")

    def _pend(
        self,
        issue: SimulatedIssue,
        label: SimulatedLabel,
        wanted: Mapping[str, Any],
        by: str,
        action: str = "add_label",
    ) -> None:
        now = self.now()
        for older in issue.suggestions:
            same = older.label is label or older.action == action == "set_type"
            if same and older.state == "pending":
                older.state, older.updated_at = "replaced", now
        confidence = wanted.get("confidence")
        issue.suggestions.append(
            SimulatedSuggestion(
                self.next_id(),
                label,
                self.actor(by),
                now,
                now,
                rationale=wanted.get("rationale"),
                confidence=str(confidence).upper() if confidence else None,
                action=action,
            )
        )

    def suggestions(self, full_name: str, number: int) -> list[SimulatedSuggestion]:
        """:raises StandInError: 404 where the repository has not got the feature."""
        if self.repository(full_name).suggestions is not SuggestionMode.ON:
            raise SimulatorError(404, "Not Found")
        return self.issue(full_name, number).suggestions

    def approve(
        self, full_name: str, number: int, suggestion_id: int, *, by: str
    ) -> SimulatedSuggestion:
        """Set what is suggested in the name of who approves: this does cause a webhook."""
        with self.lock:
            suggestion = self._pending(full_name, number, suggestion_id)
            if suggestion.action == "set_type":
                self.set_type(full_name, number, suggestion.label.name, by=by)
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
