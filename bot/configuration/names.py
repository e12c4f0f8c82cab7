"""Names of labels and people that maintainers write, `*` standing for any text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ANY_TEXT = "*"
MAX_ANY_TEXT = 3
"""How many `*` one name may hold."""
TOGETHER = 100
"""Names with a `*` that one expression holds, and that a file may hold."""
MAX_MEMORY = 2 * 1024 * 1024
"""Bytes of one expression's program and of the states that RE2 caches for it."""


class Names:
    """Names matched in any case: plain ones by one set, those with a `*` by one expression.

    What was stored before a file was held to `TOGETHER` is matched by several.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        folded = dict.fromkeys(name.casefold() for name in names)
        starred = [name for name in folded if ANY_TEXT in name]
        self._plain = frozenset(folded).difference(starred)
        self._expressions = [
            re2.compile(_one_of(starred[i : i + TOGETHER]), _options())
            for i in range(0, len(starred), TOGETHER)
        ]

    def __bool__(self) -> bool:
        return bool(self._plain or self._expressions)

    def __contains__(self, name: str) -> bool:
        folded = name.casefold()
        if folded in self._plain:
            return True
        text = _as_bytes(folded)
        return any(expression.fullmatch(text) for expression in self._expressions)


def _one_of(names: Sequence[str]) -> bytes:
    """Bytes instead of characters make a program a tenth of the size."""
    return b"|".join(
        b".*".join(re2.escape(_as_bytes(part)) for part in name.split(ANY_TEXT)) for name in names
    )


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MAX_MEMORY
    options.dot_nl = True
    options.never_capture = True
    options.log_errors = False
    return options
