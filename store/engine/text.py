"""What text fits into a column, and when two names are the same."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Replace what PostgreSQL (NUL) or UTF-8 (lone surrogates) cannot hold by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def name_key(name: str) -> str:
    """The form under which names are compared.

    GitHub takes `Bug` and `bug` for one label, and `Owner/Name` and `owner/name` for one
    repository.
    """
    return storable(name).casefold()
