"""An issue's native type as a target beside its labels: the name that both go by here.

A type is predicted, set and learned like a label, and must not be taken for one: a repository may
have a label and a type of the same name. So its target has a name that begins as no label's may;
GitHub's labels that do begin so are left out where they come in (`bot.github.models`).
"""

from __future__ import annotations

PREFIX = "type = "


def type_target(issue_type: str) -> str:
    """The target of a type, such as "type = Bug"."""
    return f"{PREFIX}{issue_type}"


def is_type(target: str) -> bool:
    """Whether a target, as written or folded, is an issue type and no label."""
    return target[: len(PREFIX)].casefold() == PREFIX


def issue_type_of(target: str) -> str:
    """The type's name as GitHub has it.

    :raises ValueError: it is a label.
    """
    if not is_type(target):
        raise ValueError(f"got the label {target!r}, expected an issue type ({PREFIX}…)")
    return target[len(PREFIX) :]
