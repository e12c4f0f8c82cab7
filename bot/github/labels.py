"""Requests about labels, types and fields: a repository's, an issue's, and suggestions of them.

https://docs.github.com/rest/issues/labels. Writes add or remove single ones; the call that replaces
all labels of an issue is not here, because it overwrites what a person did a moment ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.github.errors import Forbidden, NotFound
from bot.github.exchange import Request
from bot.github.issues import issue_path
from bot.github.models import (
    GitHubLabel,
    Issue,
    IssueField,
    IssueType,
    Suggestion,
    labels_alone,
    parse,
)
from bot.github.resource import Resource, repository_path, segment
from store.records.issue_fields import is_label

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from bot.github.resource import KnownPage, Page

COLOR_OF_A_LABEL_MADE_IN_PASSING = "ededed"
"""What GitHub gives a label that it creates because somebody sets it on an issue."""
Confidence = Literal["low", "medium", "high"]
MAX_RATIONALE = 280
SUGGESTED_HERE = frozenset({"add_label", "set_type"})
"""Suggestions of other kinds are other people's and bots' matter."""
SUGGESTS_ASSIGNEE = "add_assignee"


@dataclass(frozen=True, slots=True)
class ReasonedLabel:
    """A label with its rationale, cut to 280 characters, and how certain it is.

    GitHub shows both on the issue. By its repository's automation level it sets the label, or
    holds it back as a suggestion that a person approves or dismisses.

    :ivar confidence: None: nothing is claimed.
    """

    name: str
    rationale: str = ""
    confidence: Confidence | None = None

    def as_json(self) -> dict[str, object]:
        """As `POST …/labels` takes it; what is not there is not sent."""
        shown: dict[str, object] = {"name": self.name}
        if self.rationale:
            shown["rationale"] = shortened(self.rationale)
        if self.confidence is not None:
            shown["confidence"] = self.confidence
        return shown


class LabelSuggestion(ReasonedLabel):
    """A label to put before a person, whatever the automation level."""

    __slots__ = ()

    def as_json(self) -> dict[str, object]:
        return {**ReasonedLabel.as_json(self), "suggest": True}


class LabelRequests(Resource):
    """https://docs.github.com/rest/issues/labels"""

    def label_pages(
        self, repository: str, *, known_pages: Mapping[str, KnownPage] | None = None
    ) -> AsyncIterator[Page[GitHubLabel]]:
        """Pages of a repository's labels, conditional where `known` has an ETag."""
        return self._pages(
            GitHubLabel, f"{repository_path(repository)}/labels", known_pages=known_pages
        )

    async def labels(self, repository: str) -> tuple[GitHubLabel, ...]:
        """All labels that a repository has, but for what looks like an issue type here."""
        path = f"{repository_path(repository)}/labels"
        return labels_alone(await self._all(GitHubLabel, path))

    async def add_labels(
        self, repository: str, number: int, labels: Sequence[str | ReasonedLabel]
    ) -> tuple[GitHubLabel, ...]:
        """Add labels to an issue and return all that it then has.

        GitHub creates a label that does not exist: filter to `labels` first. One with reasons may
        be held back as a suggestion, and is not among those returned.

        :param labels: names, or where it is an issue's also names with reasons.
        :raises ValueError: no name at all, or an issue type's, of which a label would be made.
        """
        _check_labels([label if isinstance(label, str) else label.name for label in labels])
        sent = [label if isinstance(label, str) else label.as_json() for label in labels]
        return await self._post_labels(repository, number, sent)

    async def suggest_labels(
        self, repository: str, number: int, suggestions: Sequence[LabelSuggestion]
    ) -> tuple[GitHubLabel, ...]:
        """Propose labels for a person to approve; returns the labels that the issue has.

        Ask `accepts_suggestions` first: what a repository without the feature does with a
        suggestion is not documented, and setting the label outright would be wrong.

        :raises ValueError: no suggestion at all.
        """
        _check_labels([suggestion.name for suggestion in suggestions])
        return await self._post_labels(
            repository, number, [suggestion.as_json() for suggestion in suggestions]
        )

    async def _post_labels(
        self, repository: str, number: int, labels: Sequence[object]
    ) -> tuple[GitHubLabel, ...]:
        if not labels:
            raise ValueError("got no label to add or suggest, expected at least one")
        path = f"{issue_path(repository, number)}/labels"
        request = Request("POST", path, json={"labels": labels})
        answer = await self._connection.send(request)
        return parse(tuple[GitHubLabel, ...], answer.data, request.what)

    async def remove_label(self, repository: str, number: int, name: str) -> bool:
        """Take one label off an issue; False when it was not there (or the issue is not)."""
        path = f"{issue_path(repository, number)}/labels/{segment(name)}"
        try:
            await self._connection.send(Request("DELETE", path))
        except NotFound:
            return False
        return True

    async def delete_label(self, repository: str, name: str) -> None:
        """Delete a label of a repository, from every issue too: only one that we made ourselves.

        :raises NotFound: there is none of this name (any more).
        """
        path = f"{repository_path(repository)}/labels/{segment(name)}"
        await self._connection.send(Request("DELETE", path))

    async def is_in_use(self, repository: str, name: str) -> bool:
        """Whether any issue or pull request of the repository carries this label.

        True too for a name with a comma, of which GitHub cannot be asked.
        """
        if "," in name:
            return True
        path = f"{repository_path(repository)}/issues"
        params: dict[str, str | int] = {"labels": name, "state": "all", "per_page": 1}
        answer = await self._connection.send(Request("GET", path, params=params))
        return bool(parse(tuple[Issue, ...], answer.data, "issues of a label"))

    async def suggestions(
        self, repository: str, number: int, state: str = "all"
    ) -> tuple[Suggestion, ...]:
        """Suggestions of labels and of types on an issue, resolved ones included.

        :raises NotFound: the repository has not got the feature.
        """
        path = f"{issue_path(repository, number)}/suggestions"
        suggestions = await self._all(Suggestion, path, {"state": state})
        return tuple(each for each in suggestions if each.action in SUGGESTED_HERE)

    async def answer_suggestion(
        self, repository: str, number: int, suggestion: int, *, approve: bool
    ) -> None:
        """Approve a suggestion, which sets its label, or dismiss it, in the name of who asks.

        :raises Invalid: somebody has answered it already.
        """
        path = f"{issue_path(repository, number)}/suggestions/{int(suggestion)}"
        verb = "approve" if approve else "dismiss"
        await self._connection.send(Request("POST", f"{path}/{verb}"))

    async def accepts_suggestions(self, repository: str, number: int) -> bool:
        """Whether the repository has issue suggestions switched on, asked through one issue."""
        try:
            await self.suggestions(repository, number)
        except NotFound:
            return False
        return True


class IssueTypeRequests(Resource):
    """https://docs.github.com/rest/repos/issue-types

    An issue has one type at most, and setting it replaces whatever is there: GitHub has no way to
    set one only where none is.
    """

    async def issue_types(self, repository: str) -> tuple[IssueType, ...]:
        """The types that issues of a repository may get; none where they may not be listed."""
        request = Request("GET", f"{repository_path(repository)}/issue-types")
        try:
            answer = await self._connection.send(request)
        except (Forbidden, NotFound):  # a person's repository, or a server that knows no types
            return ()
        types = parse(tuple[IssueType, ...], answer.data, request.what)
        return tuple(each for each in types if each.name and each.is_enabled is not False)

    async def set_type(
        self, repository: str, number: int, wanted: str | ReasonedLabel | None
    ) -> Issue:
        """Set an issue's type, or take it away (None); returns the issue as it then is.

        Look at its type: without push access GitHub drops the change and says nothing, and one
        with reasons may be held back as a suggestion.

        :param wanted: the type's name, with or without reasons.
        :raises Invalid: there is no such type.
        """
        value = _type_json(wanted) if isinstance(wanted, ReasonedLabel) else wanted
        return await self._change(repository, number, value)

    async def suggest_type(
        self, repository: str, number: int, suggestion: LabelSuggestion
    ) -> Issue:
        """Propose a type, of this name, for a person to approve."""
        return await self._change(repository, number, _type_json(suggestion))

    async def _change(self, repository: str, number: int, value: object) -> Issue:
        request = Request("PATCH", issue_path(repository, number), json={"type": value})
        return await self._read(Issue, request)


class IssueFieldRequests(Resource):
    """https://docs.github.com/rest/orgs/issue-fields"""

    async def issue_fields(self, repository: str) -> tuple[IssueField, ...]:
        """The fields of the repository's organisation; none where they may not be listed."""
        owner = repository.partition("/")[0]
        request = Request("GET", f"/orgs/{segment(owner)}/issue-fields")
        try:
            answer = await self._connection.send(request)
        except (Forbidden, NotFound):  # a person's repository, or a server that knows no fields
            return ()
        listed = parse(tuple[IssueField | None, ...], answer.data, request.what)
        return tuple(each for each in listed if each is not None)


class AssigneeRequests(Resource):
    """Suggested assignees, kept apart from labels and types; nobody is ever assigned.

    https://docs.github.com/rest/issues/assignees
    """

    async def suggested_assignees(self, repository: str, number: int) -> tuple[Suggestion, ...]:
        """Suggestions of assignees on an issue, in whatever state, whoever made them.

        :raises NotFound: the repository has not got the feature.
        """
        path = f"{issue_path(repository, number)}/suggestions"
        params = {"state": "all", "action": SUGGESTS_ASSIGNEE}
        suggestions = await self._all(Suggestion, path, params)
        return tuple(each for each in suggestions if each.action == SUGGESTS_ASSIGNEE)

    async def suggest_assignee(
        self, repository: str, number: int, login: str, rationale: str
    ) -> None:
        """Propose an assignee for a person to approve.

        Ask `suggested_assignees` first: what a repository without the feature does with a
        suggestion is not documented.
        """
        wanted = {"login": login, "rationale": shortened(rationale), "suggest": True}
        path = f"{issue_path(repository, number)}/assignees"
        await self._connection.send(Request("POST", path, json={"assignees": [wanted]}))


def _type_json(wanted: ReasonedLabel) -> dict[str, object]:
    """As `PATCH …/issues/NUMBER` takes a type: it says "value" where a label says "name"."""
    sent = wanted.as_json()
    return {"value": sent.pop("name"), **sent}


def _check_labels(names: Iterable[str]) -> None:
    for name in names:
        if not is_label(name):
            raise ValueError(f"got {name!r}, an issue type or a field's value; expected labels")


def shortened(rationale: str) -> str:
    """A rationale cut to the length that GitHub takes."""
    if len(rationale) <= MAX_RATIONALE:
        return rationale
    return rationale[: MAX_RATIONALE - 1].rstrip() + "…"
