"""Whether a configuration file speaks of labels that the repository has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from bot.configuration.document import read_document
from bot.configuration.problems import Problem, written
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.configuration.model import RepositoryConfiguration
    from bot.configuration.problems import Path


def unknown_labels(
    text: str | bytes, configuration: RepositoryConfiguration, names: Iterable[str]
) -> list[Problem]:
    """A problem for each label that the file names and the repository does not have.

    :param text: of the file that the configuration was read from, for the lines.
    :param names: of the repository's labels.
    """
    document, labels = read_document(text), list(names)
    folded = {name_key(name) for name in (*labels, *configuration.type_targets)}
    rules = configuration.label_rules
    return sorted(
        Problem(document.line_of(path), written(path), f"no such label{_nearest(name, labels)}")
        for path, name in _named(configuration)
        if name_key(name) not in folded and not rules.is_of_a_field(name)
    )


def _named(configuration: RepositoryConfiguration) -> Iterator[tuple[Path, str]]:
    for name in configuration.labels:
        yield ("labels", name), name
    for n, group in enumerate(configuration.exclusive):
        yield from ((("exclusive", n, m), name) for m, name in enumerate(group))
    for name, labels in configuration.types.items():
        yield from ((("types", name, n), label) for n, label in enumerate(labels))
    for name, field in configuration.fields.items():
        for value, labels in field.values.items():
            path = ("fields", name, "values", value)
            yield from (((*path, n), label) for n, label in enumerate(labels))
    if configuration.fallback_label and not configuration.create_labels:
        yield ("fallback_label",), configuration.fallback_label
    for key, names in (
        ("allow", configuration.allow),
        ("block", configuration.block),
    ):
        yield from (((key, n), name) for n, name in enumerate(names) if "*" not in name)
    for n, name in enumerate(configuration.ignore.labels):
        if "*" not in name:
            yield ("ignore", "labels", n), name


def _nearest(name: str, names: list[str]) -> str:
    folded = {name_key(label): label for label in names}
    nearest = difflib.get_close_matches(name_key(name), folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[nearest[0]]!r}?" if nearest else ""
