"""A single-select field of an issue, such as Priority: the name that a value of it goes by here.

Fields belong to an organisation, and an issue has one value of each at most. A value is a target
beside labels, as an issue's native type is (`store.records.issue_types`).
"""

from __future__ import annotations

from store.records.issue_types import PREFIX as TYPE_PREFIX
from store.records.issue_types import is_type

PREFIX = "field = "
BETWEEN = ": "
"""Between a field's name and its value; no field that a file names has it in its name."""


def field_target(field: str, value: str) -> str:
    """The target of a field's value, such as "field = Priority: High"."""
    return f"{PREFIX}{field}{BETWEEN}{value}"


def is_field(target: str) -> bool:
    """Whether a target, as written or folded, is the value of a field."""
    return target[: len(PREFIX)].casefold() == PREFIX


def is_label(target: str) -> bool:
    """Whether a target is a label, and neither a type nor the value of a field."""
    return not (is_type(target) or is_field(target))


def field_value_of(target: str) -> tuple[str, str]:
    """The field and its value, as GitHub has them.

    :raises ValueError: it is no value of a field.
    """
    if not is_field(target):
        raise ValueError(f"got {target!r}, expected the value of a field ({PREFIX}…)")
    field, _, value = target[len(PREFIX) :].partition(BETWEEN)
    return field, value


def attribute_of(target: str) -> str:
    """What of an issue a target is a value of, folded: its type or one of its fields.

    Values of one attribute exclude each other. "" for a label, of which an issue has any number.
    """
    if is_type(target):
        return TYPE_PREFIX
    if is_field(target):
        return f"{PREFIX}{field_value_of(target)[0]}".casefold()
    return ""
