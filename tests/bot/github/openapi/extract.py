"""Extracts from GitHub's OpenAPI description what the simulator checks requests against.

    npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
    PYTHONPATH=. python tests/bot/github/openapi/extract.py package/generated/api.github.com.json

The description is of the oldest API version, and says beside each operation what later versions
change (`x-github-breaking-changes`): that is applied, up to the version that the bot speaks.

Only the operations in use are kept, and of them only facts: names, types, required or not,
allowed values, statuses. Descriptions and examples stay out. @octokit/openapi is under the MIT
licence (Copyright (c) 2020 Octokit contributors).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bot.github.api_version import API_VERSION

OPERATIONS = {
    "/user": ["get"],
    "/user/installations": ["get"],
    "/user/installations/{installation_id}/repositories": ["get"],
    "/app": ["get"],
    "/app/installations": ["get"],
    "/app/installations/{installation_id}/access_tokens": ["post"],
    "/app/hook/deliveries": ["get"],
    "/app/hook/deliveries/{delivery_id}": ["get"],
    "/app/hook/deliveries/{delivery_id}/attempts": ["post"],
    "/app-manifests/{code}/conversions": ["post"],
    "/installation/repositories": ["get"],
    "/orgs/{org}/issue-fields": ["get"],
    "/repos/{owner}/{repo}": ["get"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}": ["get"],
    "/repos/{owner}/{repo}/contents/{path}": ["get"],
    "/repos/{owner}/{repo}/installation": ["get"],
    "/repos/{owner}/{repo}/issue-types": ["get"],
    "/repos/{owner}/{repo}/issues": ["get", "post"],
    "/repos/{owner}/{repo}/issues/comments": ["get"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
    "/repos/{owner}/{repo}/issues/events": ["get"],
    "/repos/{owner}/{repo}/issues/{issue_number}": ["get", "patch"],
    "/repos/{owner}/{repo}/issues/{issue_number}/assignees": ["post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/labels": ["post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": ["delete"],
    "/repos/{owner}/{repo}/issues/{issue_number}/suggestions": ["get"],
    "/repos/{owner}/{repo}/issues/{issue_number}/suggestions/{suggestion_id}/approve": ["post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/suggestions/{suggestion_id}/dismiss": ["post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/timeline": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
    "/repos/{owner}/{repo}/labels": ["get"],
    "/repos/{owner}/{repo}/labels/{name}": ["delete"],
}
FACTS = (
    "type", "format", "enum", "nullable", "required", "minItems", "maxItems", "maxLength",
    "minimum", "maximum",
)  # fmt: skip
TARGET = Path(__file__).parents[4] / "bot" / "simulator" / "openapi.json"


def main(source: str) -> None:
    """Read the description at `source` and write the simulator's `openapi.json`."""
    description = json.loads(Path(source).read_text("utf-8"))
    extracted = {
        "source": "npm @octokit/openapi (MIT), api.github.com.json",
        "version": description["info"]["version"],
        "api_version": API_VERSION,
        "operations": {
            f"{method.upper()} {path}": operation(description, path, method)
            for path, methods in OPERATIONS.items()
            for method in methods
        },
    }
    TARGET.write_text(json.dumps(extracted, indent=1, sort_keys=True) + "\n", "utf-8")


def operation(description: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    """One operation's parameters, body and statuses."""
    found = as_of(API_VERSION, description["paths"][path][method])
    parameters = [resolved(description, one) for one in found.get("parameters", [])]
    body = resolved(description, found.get("requestBody", {}))
    schema = body.get("content", {}).get("application/json", {}).get("schema")
    return {
        "path": {
            one["name"]: facts(description, one["schema"])
            for one in parameters
            if one["in"] == "path"
        },
        "query": {
            one["name"]: facts(description, one["schema"])
            for one in parameters
            if one["in"] == "query"
        },
        "body": facts(description, schema) if schema else None,
        "body_required": bool(body.get("required")),
        "statuses": sorted(int(status) for status in found["responses"]),
    }


def as_of(version: str, node: dict[str, Any]) -> dict[str, Any]:
    """An operation with the breaking changes of all versions up to this one."""
    changes = [
        change
        for change in node.get("x-github-breaking-changes", [])
        if change["version"] <= version
    ]
    for change in sorted(changes, key=lambda change: str(change["version"])):
        node = merged(node, change["patch"])
    return node


def merged(node: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge patch applied: null takes away (https://www.rfc-editor.org/rfc/rfc7396)."""
    result = dict(node)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result


def facts(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without words, its references put in place."""
    schema = resolved(description, schema)
    kept: dict[str, Any] = {name: schema[name] for name in FACTS if name in schema}
    if "properties" in schema:
        kept["properties"] = {
            name: facts(description, one) for name, one in schema["properties"].items()
        }
    if "items" in schema:
        kept["items"] = facts(description, schema["items"])
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            kept[choice] = [facts(description, one) for one in schema[choice]]
    return kept


def resolved(description: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Follow a "#/components/…" reference, if this is one."""
    while "$ref" in node:
        target: Any = description
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


if __name__ == "__main__":
    main(sys.argv[1])
