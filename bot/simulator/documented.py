"""Which requests GitHub documents: the simulator refuses all others, so no test can rely on one.

`openapi.json` holds facts from GitHub's OpenAPI description of one API version, which it names as
`api_version`; `tests/bot/github/openapi/extract.py` makes it. What that version takes, older ones
take as well.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method on one path takes."""

    query: Mapping[str, Schema]
    body: Schema | None
    body_required: bool

    def problems(self, query: Mapping[str, str], sent: Any) -> list[str]:
        """What in a request is not documented, in words; empty when all is."""
        problems = [
            problem
            for name, value in query.items()
            for problem in _query_problems(name, value, self.query)
        ]
        if sent is None:
            return [*problems, "a body is required"] if self.body_required else problems
        if self.body is None:
            return [*problems, "no body is expected"]
        return problems + schema_problems(sent, self.body)


def operation_key(method: str, path: str) -> str:
    """The same for every spelling of a path's placeholders."""
    return f"{method} {_PLACEHOLDER.sub('{}', path)}"


def documented_version() -> str:
    """The API version that requests are checked against."""
    return str(_description()["api_version"])


def read_operations() -> dict[str, Operation]:
    """The documented operations by `operation_key`."""
    return {
        operation_key(*name.split(" ", 1)): Operation(
            paths["query"], paths["body"], paths["body_required"]
        )
        for name, paths in _description()["operations"].items()
    }


def _description() -> dict[str, Any]:
    text = files("bot.simulator").joinpath("openapi.json").read_text("utf-8")
    description: dict[str, Any] = json.loads(text)
    return description


def schema_problems(
    value: Any, schema: Schema, where: str = "body", *, closed: bool = True
) -> list[str]:
    """Where a JSON value differs from a schema.

    :param closed: properties that the schema does not name are problems too.
    """
    if value is None:
        return [] if schema.get("nullable") else [f"{where} is null"]
    wanted = schema.get("type")
    if wanted and not _has_type(value, wanted):
        return [f"{where} is no {wanted}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}, expected one of {schema['enum']}"]
    if isinstance(value, dict):
        object_problems = _object_problems(
            value, schema, where, closed=closed and "properties" in schema
        )
    elif isinstance(value, list):
        object_problems = _list_problems(value, schema, where)
    else:
        longest = schema.get("maxLength")
        too_long = isinstance(value, str) and longest is not None and len(value) > longest
        object_problems = [f"{where} is longer than {longest}"] if too_long else []
    return object_problems + _choice_problems(value, schema, where, closed=closed)


def _has_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])


def _object_problems(
    value: dict[str, Any], schema: Schema, where: str, *, closed: bool
) -> list[str]:
    properties = schema.get("properties", {})
    problems = [f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value]
    for name, inner in value.items():
        if name in properties:
            problems += schema_problems(inner, properties[name], f"{where}.{name}")
        elif closed:
            problems.append(f"{where} has an unknown {name}")
    return problems


def _list_problems(value: list[Any], schema: Schema, where: str) -> list[str]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    problems = [] if least <= len(value) <= most else [f"{where} has {len(value)} items"]
    for place, inner in enumerate(value):
        problems += schema_problems(inner, schema.get("items", {}), f"{where}[{place}]")
    return problems


def _choice_problems(value: Any, schema: Schema, where: str, *, closed: bool) -> list[str]:
    choices = schema.get("oneOf") or schema.get("anyOf") or []
    # Beside properties of its own, a schema's choices only add requirements.
    closed = closed and "properties" not in schema
    tried = [schema_problems(value, choice, where, closed=closed) for choice in choices]
    return min(tried, key=len) if tried and all(tried) else []


def _query_problems(name: str, value: str, parameters: Mapping[str, Schema]) -> list[str]:
    if name not in parameters:
        return [f"query has an unknown {name}"]
    schema = parameters[name]
    if schema.get("type") == "integer" and not value.isdigit():
        return [f"query {name} is no integer"]
    if schema.get("format") == "date-time" and not _is_time(value):
        return [f"query {name} is no time"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"query {name} is {value!r}, expected one of {schema['enum']}"]
    return []


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
