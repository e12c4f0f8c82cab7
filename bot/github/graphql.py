"""GraphQL beside REST: over the same connection, with the same errors.

https://docs.github.com/graphql. Errors come with status 200; they are read as the REST status that
says the same, so that limits are waited out and refusals raised where those of REST are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.github.errors import BadPayload
from bot.github.exchange import GRAPHQL, Request
from bot.github.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping


class GraphQLRequests(Resource):
    """https://docs.github.com/graphql/guides/forming-calls-with-graphql"""

    async def _ask(self, document: str, variables: Mapping[str, Any], what: str) -> dict[str, Any]:
        """What a query or a mutation answers.

        :param what: how errors call it.
        """
        request = Request(
            "POST",
            GRAPHQL,
            json={"query": document, "variables": dict(variables)},
            name=what,
            reads=document.startswith("query"),
        )
        answer = await self._connection.send(request)
        data = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(data, dict):
            raise BadPayload(f"{what}: an answer without data; retry later")
        return data
