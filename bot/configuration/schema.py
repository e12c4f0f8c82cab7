"""The configuration's JSON Schema: for editors, and for knowing which keys a place has."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from bot.configuration.model import RepositoryConfiguration

if TYPE_CHECKING:
    from bot.configuration.problems import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def json_schema() -> dict[str, Any]:
    """The schema as published in docs/issue-tagger.schema.json; do not change what is returned."""
    schema = RepositoryConfiguration.model_json_schema(mode="validation")
    return {"$schema": DIALECT, **schema, "title": "issue-tagger: .github/issue-tagger.yml"}


def published() -> str:
    """The schema as the text of the published file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def known_keys(path: Path) -> list[str]:
    """The keys that the mapping at `path` may have; none where any key is right."""
    node = json_schema()
    for step in path:
        node = _mapping(node["properties"].get(step) if "properties" in node else None, node)
    return list(node.get("properties", {}))


def _mapping(child: dict[str, Any] | None, parent: dict[str, Any]) -> dict[str, Any]:
    """The schema of the mapping below a key, through references and alternatives."""
    if child is None:  # any name of the pattern is a key, as in `labels`
        child = next(iter(parent.get("patternProperties", {}).values()), {})
    for choice in [child, *child.get("anyOf", [])]:
        if "$ref" in choice:
            name = choice["$ref"].rpartition("/")[2]
            definition: dict[str, Any] = json_schema()["$defs"][name]
            return definition
    return child
