"""Whom the files are for that an issue names, by the repository's CODEOWNERS. Pure.

A path in an issue is seldom the repository's own: it stands in a traceback below `site-packages`,
or in a link. So its ends are tried as well, the longest first. A pattern for everything, such as
`*`, says nothing about an issue and speaks for nobody.

Source: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2
from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

from bot.advising.advice import PathOwners
from bot.configuration.values import is_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_PATTERNS = 2000
MOST_PATHS = 20
"""Paths of one issue that are looked up."""
MOST_OWNERS = 3
"""Patterns that speak for owners; who is named on every issue is soon deaf to it."""

_PATH = re.compile(r"(?<![\w.@+/\\-])[/\\]{0,3}[\w.@+-]{1,100}(?:[/\\][\w.@+-]{1,100}){0,30}")
_COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True)
class OwnedPattern:
    """A line of the file.

    :ivar regex: matches a path below the repository's root, in linear time.
    :ivar owners: `@login` or `@organisation/team`; an address has no name here.
    """

    pattern: str
    regex: Any
    owners: tuple[str, ...]

    @property
    def is_for_everything(self) -> bool:
        return not re.search(r"[^*/.]", self.pattern)


def owners_of_paths(code_owners: str, text: str) -> tuple[PathOwners, ...]:
    """Owners of the files that a text names, in the order of the text, each pattern once.

    :param code_owners: the file's text.
    """
    patterns = owned_patterns(code_owners)
    owned = (_owned_pattern(path, patterns) for path in paths_in(text))
    matched = dict.fromkeys(each for each in owned if each is not None)
    return tuple(PathOwners(each.pattern, each.owners) for each in matched)[:MOST_OWNERS]


@lru_cache(maxsize=16)
def owned_patterns(code_owners: str) -> tuple[OwnedPattern, ...]:
    """The file's lines that GitHub would follow; the last one that matches a path counts."""
    return tuple(_read(code_owners))[:MOST_PATTERNS]


def paths_in(text: str) -> tuple[str, ...]:
    """What looks like a file's path, or a file's name, with `/` between its parts."""
    paths = (match.replace("\\", "/").lstrip("/").rstrip(".") for match in _PATH.findall(text))
    return tuple(dict.fromkeys(path for path in paths if _is_file(path)))[:MOST_PATHS]


def _is_file(path: str) -> bool:
    """Has an ending, such as `.py`, that is no number: `1.2.3` is a version."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    return bool(stem and dot) and ending[:1].isalpha()


def _read(code_owners: str) -> Iterator[OwnedPattern]:
    for line in code_owners.splitlines():
        pattern, *owners = _COMMENT.sub("", line).replace("\\ ", "\0").split() or [""]
        pattern = pattern.replace("\0", " ")
        if not pattern or pattern.startswith("!") or "[" in pattern:
            continue  # GitHub knows neither
        regex = _compiled(pattern)
        if regex is not None:
            yield OwnedPattern(pattern, regex, tuple(filter(is_owner, owners)))


def _compiled(pattern: str) -> Any:
    """The pattern in linear time; None for one that is none."""
    try:
        regex, _ = GitIgnoreBasicPattern.pattern_to_regex(pattern)
        return re2.compile(regex) if regex else None
    except (ValueError, re2.error):
        return None


def _owned_pattern(path: str, patterns: Sequence[OwnedPattern]) -> OwnedPattern | None:
    """The line that counts for a path, where it has owners and is not for everything."""
    parts = path.split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        for each in reversed(patterns):
            if each.regex.search(end):
                if each.is_for_everything:
                    break  # a shorter end may be a path of the repository
                return each if each.owners else None
    return None
