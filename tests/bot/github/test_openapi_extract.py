"""What a later API version changes is applied to the description of the oldest."""

from __future__ import annotations

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location(
    "openapi_extract", Path(__file__).with_name("openapi") / "extract.py"
)
extract = importlib.util.module_from_spec(spec)
spec.loader.exec_module(extract)

BODY = {"properties": {"assignee": {"type": "string"}, "assignees": {"type": "array"}}}
OPERATION = {
    "body": BODY,
    "x-github-breaking-changes": [
        {"version": "2028-01-01", "patch": {"body": None}},
        {"version": "2026-03-10", "patch": {"body": {"properties": {"assignee": None}}}},
        {"version": "2026-03-10", "patch": {"body": {"required": ["assignees"]}, "new": {"a": 1}}},
    ],
}


def test_changes_up_to_a_version_are_applied_and_later_ones_not() -> None:
    changed = extract.as_of("2026-03-10", OPERATION)
    assert changed["body"] == {
        "properties": {"assignees": {"type": "array"}},
        "required": ["assignees"],
    }
    assert changed["new"] == {"a": 1}


def test_the_oldest_version_is_the_description_itself() -> None:
    assert extract.as_of("2022-11-28", OPERATION) == OPERATION
    assert "assignee" in BODY["properties"]
