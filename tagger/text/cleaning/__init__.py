"""Cleaning an issue's text: what no strategy should ever have to see.

Every way that a release was ever trained with stays, by its version: a release that is opened years
later cleans as it did then, whatever new ones do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.text.cleaning import expressions, markdown

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, LATEST = 1, 2
"""Versions of cleaning: the first there was, and that of releases that are trained now."""

_TITLES: dict[int, Callable[[str], str]] = {FIRST: expressions.clean, LATEST: markdown.clean_title}
_BODIES: dict[int, Callable[[str], str]] = {FIRST: expressions.clean, LATEST: markdown.clean_body}


def clean(title: str, body: str, version: int = LATEST) -> tuple[str, str]:
    """Title and body as strategies of releases of this version read them.

    :raises ValueError: there is no such version.
    """
    check_version(version)
    return _TITLES[version](title), _BODIES[version](body)


def check_version(version: int) -> int:
    """:raises ValueError: there is no such version of cleaning."""
    if version not in _TITLES:
        raise ValueError(f"got cleaning {version}, expected one of {', '.join(map(str, _TITLES))}")
    return version
