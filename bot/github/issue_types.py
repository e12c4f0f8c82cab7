"""Requests about native issue types: which a repository has, and an issue's own.

https://docs.github.com/rest/repos/issue-types. An issue has one type at most, and setting it
replaces whatever is there: GitHub has no way to set one only where none is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.github.errors import NotFound
from bot.github.exchange import Request
from bot.github.issues import issue_path
from bot.github.labels import shortened
from bot.github.models import Issue, IssueType, parse
from bot.github.resource import Resource, repository_path

if TYPE_CHECKING:
    from bot.github.labels import LabelSuggestion


class IssueTypeRequests(Resource):
    """https://docs.github.com/rest/repos/issue-types"""

    async def issue_types(self, repository: str) -> tuple[IssueType, ...]:
        """The types that issues of a repository may get; none where its owner has none."""
        request = Request("GET", f"{repository_path(repository)}/issue-types")
        try:
            answer = await self._connection.send(request)
        except NotFound:  # a person's repository, or a server that knows no types
            return ()
        types = parse(tuple[IssueType, ...], answer.data, request.what)
        return tuple(each for each in types if each.name and each.is_enabled is not False)

    async def set_type(self, repository: str, number: int, name: str | None) -> Issue:
        """Set an issue's type, or take it away (None); returns the issue as it then is.

        Look at its type: without push access GitHub drops the change and says nothing.

        :raises Invalid: there is no such type.
        """
        return await self._change(repository, number, name)

    async def suggest_type(
        self, repository: str, number: int, suggestion: LabelSuggestion
    ) -> Issue:
        """Propose a type, of this name, for a person to approve."""
        value = {
            "value": suggestion.name,
            "rationale": shortened(suggestion.rationale),
            "suggest": True,
            "confidence": suggestion.confidence,
        }
        return await self._change(repository, number, value)

    async def _change(self, repository: str, number: int, value: object) -> Issue:
        request = Request("PATCH", issue_path(repository, number), json={"type": value})
        return await self._read(Issue, request)
