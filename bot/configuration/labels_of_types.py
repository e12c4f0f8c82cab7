"""Which labels mean the same as an issue type: named in the file, or found from names and data.

An issue that carries such a label is an example of the type, so that a type is learned from the
years before it existed. What people made of the issue's type itself counts for more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from store.engine.text import name_key
from store.records.issue_types import is_type, type_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.configuration.model import RepositoryConfiguration
    from store.records import TrainingRow
    from store.unit_of_work import UnitOfWork

MIN_TOGETHER = 10
"""Issues with the label and a type from which on the data alone may tie the two together."""
MIN_SHARE = 0.9
"""Of them, the share that must have this very type."""

_NAMESPACE = re.compile(r"^(?:type|kind|category|c|t)\s*[:/=-]\s*", re.IGNORECASE)
_NO_WORD = re.compile(r"[^\w]+|_")

LabelsOfTypes = dict[str, str]
"""Folded label → folded target of the type that it means."""


def labels_of_types(
    types: Mapping[str, Sequence[str]],
    labels: Iterable[str],
    beside: Mapping[str, Mapping[str, int]] | None = None,
) -> LabelsOfTypes:
    """Which labels mean which type.

    A type whose labels the file names has these and no others. For the rest a label means it that
    has its name, but for a namespace ("kind/bug") and for what is no letter; or that stands, on at
    least `MIN_TOGETHER` issues that have a type, beside this type on `MIN_SHARE` of them.

    :param types: type → labels, as in the repository's file.
    :param labels: the repository's.
    :param beside: folded label → folded type target → on how many issues the two stand together.
    """
    named = {
        name_key(label): name_key(type_target(name))
        for name, of_type in types.items()
        for label in of_type
    }
    open_types = [name for name, of_type in types.items() if not of_type]
    by_word = {_word(name): name_key(type_target(name)) for name in open_types}
    by_name = {
        name_key(label): by_word[word] for label in labels if (word := _word(label)) in by_word
    }
    by_data = _by_data({name_key(type_target(name)) for name in open_types}, beside or {})
    return by_data | by_name | named


def targets_learned(row: TrainingRow, of_types: Mapping[str, str]) -> frozenset[str]:
    """Folded labels and type that an issue is an example of."""
    labels, declined = (frozenset(map(name_key, names)) for names in (row.labels, row.declined))
    return with_types(labels, declined, of_types)


def with_types(
    labels: frozenset[str], declined: frozenset[str], of_types: Mapping[str, str]
) -> frozenset[str]:
    """An issue's folded labels, and the type that they mean where it has none of its own.

    Labels that mean two types say nothing of either.

    :param declined: folded labels and types that people declined.
    """
    meant = {of_types[label] for label in labels if label in of_types}
    if len(meant) != 1 or any(map(is_type, labels)) or any(map(is_type, declined)):
        return labels
    return labels | meant


def of_repository(
    work: UnitOfWork, repository_id: int, configuration: RepositoryConfiguration | None
) -> LabelsOfTypes:
    """The same for a stored repository; empty where its file names no types."""
    types = configuration.types if configuration else {}
    if not types:
        return {}
    listed = [label.name for label in work.labels.list(repository_id, deleted=True)]
    names = (*listed, *work.issues.label_names(repository_id))
    return labels_of_types(types, names, work.labels.beside_types(repository_id))


def _by_data(targets: set[str], beside: Mapping[str, Mapping[str, int]]) -> LabelsOfTypes:
    meant: LabelsOfTypes = {}
    for label, counts in beside.items():
        target, count = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
        total = sum(counts.values())
        if target in targets and total >= MIN_TOGETHER and count >= MIN_SHARE * total:
            meant[label] = target
    return meant


def _word(name: str) -> str:
    plain = _NAMESPACE.sub("", name.strip())
    return _NO_WORD.sub("", plain.casefold())
