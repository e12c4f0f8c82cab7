"""Which labels mean the same as a value of a single-select field: named in the file, or by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from store.engine.text import name_key
from store.records.issue_fields import field_target, field_value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.configuration.model import FieldSettings

_NAMESPACE = re.compile(r"^\s*(.+?)\s*[:/=-]\s*(.+?)\s*$")
_NO_WORD = re.compile(r"[^\w]+|_")


def labels_of_fields(
    fields: Mapping[str, FieldSettings], labels: Iterable[str], values: Iterable[str] = ()
) -> dict[str, str]:
    """Folded label → folded target of the value that it means.

    A value whose labels the file names has these and no others. For the rest a label means it that
    has the field's name before its own ("priority: high"), or that is called just like a value
    that is known, of one field alone.

    :param values: targets of the values that issues have.
    """
    known = _known(fields, values)
    found: dict[str, str] = {}
    for label in labels:
        bare = {target for target, word in known.items() if word == _word(label)}
        target = _by_field(fields, label, known) or (bare.pop() if len(bare) == 1 else None)
        if target:
            found[name_key(label)] = name_key(target)
    for name, field in fields.items():
        for value, of_value in field.values.items():
            if of_value:
                target = name_key(field_target(name, value))
                found = {label: meant for label, meant in found.items() if meant != target}
    named = {
        name_key(label): name_key(field_target(name, value))
        for name, field in fields.items()
        for value, of_value in field.values.items()
        for label in of_value
    }
    return found | named


def value_targets(
    fields: Mapping[str, FieldSettings], labels: Iterable[str], values: Iterable[str]
) -> tuple[str, ...]:
    """The targets to learn: values that the file names, that issues have, that labels name."""
    targets = {name_key(target): target for target in _known(fields, values)}
    for label in labels:
        if target := _by_field(fields, label, targets.values()):
            targets.setdefault(name_key(target), target)
    return tuple(targets.values())


def _known(fields: Mapping[str, FieldSettings], values: Iterable[str]) -> dict[str, str]:
    """Targets that the file or an issue names → what the value's name is without signs."""
    spelled = {name.casefold(): name for name in fields}
    targets = [
        field_target(name, value) for name, field in fields.items() for value in field.values
    ]
    for target in values:
        field, value = field_value_of(target)
        if field.casefold() in spelled:
            targets.append(field_target(spelled[field.casefold()], value))
    first = {name_key(target): target for target in reversed(targets)}
    return {target: _word(field_value_of(target)[1]) for target in first.values()}


def _by_field(fields: Mapping[str, FieldSettings], label: str, known: Iterable[str]) -> str | None:
    """The target that a label means by having the field's name before the value's."""
    parts = _NAMESPACE.match(label)
    if parts is None:
        return None
    for name in fields:
        if _word(name) == _word(parts[1]):
            word = _word(parts[2])
            same = (
                target
                for target in known
                if field_value_of(target)[0] == name and _word(field_value_of(target)[1]) == word
            )
            return next(same, field_target(name, parts[2]))
    return None


def _word(name: str) -> str:
    return _NO_WORD.sub("", name.casefold())
