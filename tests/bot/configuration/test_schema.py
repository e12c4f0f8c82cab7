"""The published JSON Schema and the documentation say what the model says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bot.configuration.model import RepositoryConfiguration
from bot.configuration.schema import json_schema, known_keys, published

DOCS = Path(__file__).parents[3] / "docs"


def test_the_published_schema_is_the_model_s() -> None:
    file = DOCS / "issue-tagger.schema.json"
    assert file.read_text("utf-8") == published(), (
        "write it anew: python -c 'from bot.configuration.schema import published; "
        f"print(published(), end=str())' > docs/{file.name}"
    )


def test_unknown_keys_are_errors_to_editors_too() -> None:
    schema = json.loads(published())
    objects = [schema, *(one for one in schema["$defs"].values() if one["type"] == "object")]
    assert len(objects) == 7
    assert all(one["additionalProperties"] is False for one in objects)


def test_every_key_is_explained_to_editors_and_in_the_documentation() -> None:
    documented = set(re.findall(r"`(\w+)`", (DOCS / "configuration.md").read_text("utf-8")))
    schema = json_schema()
    for owner in [schema, *schema["$defs"].values()]:
        for key, value in owner.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, key
            assert key in documented


def test_the_keys_of_each_place_are_known() -> None:
    assert known_keys(()) == list(RepositoryConfiguration.model_fields)
    assert known_keys(("labels", "c: Privacy")) == [
        "mode",
        "precision",
        "name",
        "description",
        "aliases",
    ]
    assert known_keys(("report",)) == ["schedule", "to"]
    assert known_keys(("labels",)) == []
