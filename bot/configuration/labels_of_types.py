"""Which labels mean the same as an issue type or a field's value: by the file, names, and data.

An issue that carries such a label is an example of it, so that a type or a field is learned from
the years before it existed. What people made of the issue's own type or field counts for more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from bot.configuration.labels_of_fields import labels_of_fields
from store.engine.text import name_key
from store.records.issue_fields import attribute_of
from store.records.issue_types import type_target

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
"""Folded label → folded target of the type or the field's value that it means."""


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
    """Folded labels, type and fields' values that an issue is an example of."""
    labels, declined = (frozenset(map(name_key, names)) for names in (row.labels, row.declined))
    return with_types(labels, declined, of_types)


def with_types(
    labels: frozenset[str], declined: frozenset[str], of_types: Mapping[str, str]
) -> frozenset[str]:
    """An issue's folded labels, and the type and values that they mean where it has none itself.

    Labels that mean two types, or two values of one field, say nothing of either.

    :param declined: folded labels, types and values that people declined.
    """
    meant: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        if target := of_types.get(label):
            meant[attribute_of(target)].add(target)
    told = {attribute_of(name) for name in labels | declined}
    return labels.union(
        *(some for attribute, some in meant.items() if len(some) == 1 and attribute not in told)
    )


def of_repository(
    work: UnitOfWork, repository_id: int, configuration: RepositoryConfiguration | None
) -> LabelsOfTypes:
    """What labels mean in a stored repository; nothing where its file names no type or field."""
    if configuration is None or not (configuration.types or configuration.fields):
        return {}
    listed = [label.name for label in work.labels.list(repository_id, deleted=True)]
    names = (*listed, *work.issues.label_names(repository_id))
    values = work.labels.field_values(repository_id) if configuration.fields else ()
    of_fields = labels_of_fields(configuration.fields, names, values)
    types = configuration.types
    beside = work.labels.beside_types(repository_id) if types else None
    return of_fields | labels_of_types(types, names, beside)


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
