"""What each key allows and all keys together do not: found when looking at the whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.configuration.model import RepositoryConfiguration
    from bot.configuration.problems import Path


def contradictions(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    """Where the file contradicts itself, as the place and a message, in no particular order."""
    for name in _written_again(configuration.labels):
        yield ("labels", name), "written twice; GitHub ignores case in label names, keep one"
    for i, group in enumerate(configuration.exclusive):
        for name in _written_again(group):
            yield ("exclusive", i), f"names {name!r} twice; GitHub ignores case in label names"
    for name, settings in configuration.labels.items():
        why = configuration.off_because(name)
        if why and settings.mode not in {None, Mode.OFF}:
            yield ("labels", name, "mode"), f"says {settings.mode}, but {why}; remove one of them"


def _written_again(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    again = []
    for name in names:
        if name.casefold() in seen:
            again.append(name)
        seen.add(name.casefold())
    return again
