"""The invented repository that `make demo` learns from, as files in GitHub's REST shapes.

Ferry is a self-hosted server for synchronising and sharing files that does not exist; people,
issues and labels are made up. The newest issues carry no labels: they are the ones the demo sends
as webhooks, and `expected.json` holds what a maintainer would have set on them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

REPOSITORY = "lanternworks/ferry"


def issues() -> Traversable:
    """JSON lines in the shape of REST `issues`, oldest first; what `import` takes."""
    return files(__name__) / "issues.jsonl"


def labels() -> Traversable:
    """A JSON array in the shape of REST `labels`; what `import --labels` takes."""
    return files(__name__) / "labels.json"


def expected() -> dict[int, frozenset[str]]:
    """The right labels of the issues that carry none, by issue number."""
    answers = json.loads((files(__name__) / "expected.json").read_text(encoding="utf-8"))
    return {int(number): frozenset(names) for number, names in answers.items()}
