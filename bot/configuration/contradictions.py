"""What each key allows and all keys together do not: found when looking at the whole file.

Contradictions, and bounds on what a file may hold as a whole: what it costs to look a label up
depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration.names import ANY_TEXT, TOGETHER
from bot.configuration.patterns import MAX_PROGRAMS, too_large_together
from bot.configuration.values import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.configuration.model import RepositoryConfiguration
    from bot.configuration.problems import Path


MAX_EXCLUSIVE = 1000
"""Names in all groups together."""


def contradictions(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    """Where the file contradicts itself, as the place and a message, in no particular order."""
    for name in _written_again(configuration.labels):
        yield ("labels", name), "written twice; GitHub ignores case in label names, keep one"
    for name in _written_again(configuration.routes):
        yield ("routes", name), "written twice; GitHub ignores case in label names, keep one"
    for i, group in enumerate(configuration.exclusive):
        for name in _written_again(group):
            yield ("exclusive", i), f"names {name!r} twice; GitHub ignores case in label names"
    yield from _doubled_types(configuration)
    yield from _doubled_fields(configuration)
    for name, settings in configuration.labels.items():
        if settings.mode in {None, Mode.OFF}:
            continue
        if why := configuration.off_because(name):
            yield ("labels", name, "mode"), f"says {settings.mode}, but {why}; remove one of them"


def _doubled_types(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    """Types written twice, and labels that are to mean two of them."""
    for name in _written_again(configuration.types):
        yield ("types", name), "written twice; GitHub ignores case in names of types, keep one"
    owners: dict[str, str] = {}
    for name, labels in configuration.types.items():
        for label in labels:
            owner = owners.setdefault(label.casefold(), name)
            if owner != name:
                yield ("types", name), f"{label!r} means {owner} already; a label means one type"


def _doubled_fields(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    """Fields and values written twice, and labels that are to mean two values or a type."""
    owners = {
        label.casefold(): f"the type {name}"
        for name, labels in configuration.types.items()
        for label in labels
    }
    for name in _written_again(configuration.fields):
        yield ("fields", name), "written twice; GitHub ignores case in names of fields, keep one"
    for name, field in configuration.fields.items():
        for value in _written_again(field.values):
            yield ("fields", name, "values", value), "written twice; keep one"
        for value, labels in field.values.items():
            for label in labels:
                owner = owners.setdefault(label.casefold(), f"{name}: {value}")
                if owner != f"{name}: {value}":
                    path = ("fields", name, "values", value)
                    yield path, f"{label!r} means {owner} already; a label means one thing"


def excesses(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    """Where the file as a whole becomes too large, as the place and a message."""
    starred = [place for place, name in _name_patterns(configuration) if ANY_TEXT in name]
    if len(starred) > TOGETHER:
        message = f"the file has {len(starred)} names with {ANY_TEXT}, expected at most {TOGETHER}"
        yield starred[TOGETHER], message
    in_groups = [("exclusive", i) for i, group in enumerate(configuration.exclusive) for _ in group]
    if len(in_groups) > MAX_EXCLUSIVE:
        message = f"the groups name {len(in_groups):,} labels, expected at most {MAX_EXCLUSIVE:,}"
        yield in_groups[MAX_EXCLUSIVE], message
    too_large = too_large_together(configuration.ignore.titles)
    if too_large is not None:
        yield (
            ("ignore", "titles", too_large),
            f"with it the patterns become too large together (over {MAX_PROGRAMS:,} steps); "
            "shorten them, or leave some out",
        )


def _name_patterns(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    ignore = configuration.ignore
    lists: tuple[tuple[Path, Iterable[str]], ...] = (
        (("allow",), configuration.allow),
        (("block",), configuration.block),
        (("ignore", "authors"), ignore.authors),
        (("ignore", "labels"), ignore.labels),
    )
    for path, names in lists:
        yield from (((*path, i), name) for i, name in enumerate(names))


def _written_again(names: Iterable[str]) -> list[str]:
    spellings: set[str] = set()
    again = []
    for name in names:
        if name.casefold() in spellings:
            again.append(name)
        spellings.add(name.casefold())
    return again
