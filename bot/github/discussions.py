"""Discussions as the bot labels them: read and written by GraphQL, shown as issues are.

GitHub has no REST requests for them. Labels are named by node ids, so that none is made in passing.
https://docs.github.com/graphql/guides/using-the-graphql-api-for-discussions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.github.errors import BadPayload, NotFound
from bot.github.models import GitHubLabel, Issue, parse
from bot.github.resource import Resource, repository_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


AT_ONCE = 50
"""Discussions of a page, with the labels of each."""

_LABELS = "labels(first: 100) { nodes { name description color } }"
_FIELDS = f"""
  id number title body createdAt updatedAt closed closedAt locked url authorAssociation
  author {{ login __typename }} category {{ name }} {_LABELS}
"""
LIST = f"""query($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{ nameWithOwner
    discussions(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      nodes {{ {_FIELDS} }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""
ONE = f"""query($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ nameWithOwner
    discussion(number: $number) {{ {_FIELDS} }}
  }}
}}"""
IDS = """query($owner: String!, $name: String!, $number: Int!, $label: String!) {
  repository(owner: $owner, name: $name) { nameWithOwner
    discussion(number: $number) { id } label(name: $label) { id name }
  }
}"""
ADD = f"""mutation($labelable: ID!, $labels: [ID!]!) {{
  addLabelsToLabelable(input: {{labelableId: $labelable, labelIds: $labels}}) {{
    labelable {{ {_LABELS} }}
  }}
}}"""
REMOVE = f"""mutation($labelable: ID!, $labels: [ID!]!) {{
  removeLabelsFromLabelable(input: {{labelableId: $labelable, labelIds: $labels}}) {{
    labelable {{ {_LABELS} }}
  }}
}}"""


@dataclass(frozen=True, slots=True)
class DiscussionPage:
    """Some discussions, the last changed first; `next` leads on, None at the end."""

    items: tuple[Issue, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class _Ids:
    """Node ids of a discussion and of a label; the label is named as the repository has it."""

    discussion: str
    label: str
    name: str


class DiscussionRequests(Resource):
    """Under the names that requests about issues have, so that who labels need not care."""

    async def discussion(self, repository: str, number: int) -> Issue:
        """:raises NotFound: there is none of this number, or no longer."""
        what = f"discussion {repository}#{number}"
        found = await self._in_repository(ONE, repository, what, number=number)
        return _issue(_there(found.get("discussion"), what), _full_name(found, repository), what)

    async def discussions(self, repository: str) -> AsyncIterator[DiscussionPage]:
        """Pages of a repository's discussions, the last changed first.

        One that changes meanwhile comes first again, so a walk misses it, and the next one that
        goes back to where this one began does not.
        """
        what, after = f"discussions of {repository}", None
        while True:
            found = await self._in_repository(LIST, repository, what, first=AT_ONCE, after=after)
            listed = found.get("discussions") or {}
            name = _full_name(found, repository)
            nodes = [node for node in listed.get("nodes") or () if node is not None]
            info = listed.get("pageInfo") or {}
            following = info.get("endCursor") if info.get("hasNextPage") else None
            yield DiscussionPage(tuple(_issue(node, name, what) for node in nodes), following)
            if following is None or following == after:
                return
            after = following

    async def label_discussion(
        self, repository: str, number: int, labels: Sequence[str]
    ) -> tuple[GitHubLabel, ...]:
        """Add labels to a discussion and return all that it then has.

        :raises NotFound: the repository has no such label, or no such discussion.
        """
        ids = [await self._ids(repository, number, label) for label in labels]
        if not ids:
            raise ValueError("got no label to add, expected at least one")
        what = f"labels of discussion {repository}#{number}"
        sent = {"labelable": ids[0].discussion, "labels": [each.label for each in ids]}
        answer = (await self._ask(ADD, sent, what)).get("addLabelsToLabelable") or {}
        labelable = _there(answer.get("labelable"), what)
        return parse(tuple[GitHubLabel, ...], _label_nodes(labelable), what)

    async def unlabel_discussion(self, repository: str, number: int, name: str) -> bool:
        """Take one label off a discussion; False where there is no such label or discussion."""
        try:
            ids = await self._ids(repository, number, name)
        except NotFound:
            return False
        what = f"labels of discussion {repository}#{number}"
        await self._ask(REMOVE, {"labelable": ids.discussion, "labels": [ids.label]}, what)
        return True

    async def _ids(self, repository: str, number: int, label: str) -> _Ids:
        what = f"label {label!r} for discussion {repository}#{number}"
        found = await self._in_repository(IDS, repository, what, number=number, label=label)
        discussion = _there(found.get("discussion"), what)
        named = _there(found.get("label"), what)
        return _Ids(str(discussion.get("id")), str(named.get("id")), str(named.get("name")))

    async def _in_repository(
        self, query: str, repository: str, what: str, **variables: Any
    ) -> dict[str, Any]:
        repository_path(repository)  # refuses what is no OWNER/NAME
        owner, _, name = repository.partition("/")
        data = await self._ask(query, {"owner": owner, "name": name, **variables}, what)
        return _there(data.get("repository"), what)


def _there(node: object, what: str) -> dict[str, Any]:
    """:raises NotFound: GraphQL says null of what is not there or may not be seen."""
    if node is None:
        raise NotFound(what, 404)
    if not isinstance(node, dict):
        raise BadPayload(f"{what}: not in the shape that GitHub documents")
    return node


def _full_name(found: dict[str, Any], asked: str) -> str:
    """What the repository is called now: GraphQL follows renames and says nothing of it."""
    return str(found.get("nameWithOwner") or asked)


def _label_nodes(node: dict[str, Any]) -> object:
    labels = node.get("labels")
    return (labels.get("nodes") if isinstance(labels, dict) else None) or []


def _issue(node: dict[str, Any], full_name: str, what: str) -> Issue:
    author, category = node.get("author"), node.get("category")
    fields = {
        "number": node.get("number"),
        "title": node.get("title"),
        "body": node.get("body"),
        "state": "closed" if node.get("closed") else "open",
        "user": _user(author) if isinstance(author, dict) else None,
        "author_association": node.get("authorAssociation"),
        "labels": _label_nodes(node),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "closed_at": node.get("closedAt"),
        "locked": node.get("locked"),
        "html_url": node.get("url"),
        "repository_url": f"/repos/{full_name}",
        "category": (category.get("name") if isinstance(category, dict) else None) or "",
    }
    return parse(Issue, fields, what)


def _user(author: dict[str, Any]) -> dict[str, Any]:
    """As REST names it: an App's login ends in "[bot]" there, and has no such ending here."""
    login, kind = str(author.get("login") or ""), author.get("__typename")
    is_app = kind == "Bot" and not login.endswith("[bot]")
    return {"login": f"{login}[bot]" if is_app else login, "type": kind or "User"}
