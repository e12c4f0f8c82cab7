"""What single values of the file may be: words, names, patterns, numbers."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    StringConstraints,
    ValidationInfo,
)

from bot.configuration.names import ANY_TEXT, MAX_ANY_TEXT
from bot.configuration.patterns import TitlePattern
from bot.configuration.schedule import Schedule
from store.records.issue_fields import BETWEEN


class Mode(StrEnum):
    """How far the bot goes with a label, from nothing at all to setting it."""

    OFF = "off"
    SHADOW = "shadow"
    SUGGEST = "suggest"
    APPLY = "apply"


class Target(StrEnum):
    """What is labelled; each kind by what was learned from it alone."""

    ISSUES = "issues"
    PULL_REQUESTS = "pull_requests"
    DISCUSSIONS = "discussions"


def _some(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    if not targets:
        raise ValueError("nothing would be labelled; mode: off says so")
    return targets


Targets = Annotated[tuple[Target, ...], Field(max_length=3), AfterValidator(_some)]


class ReportTo(StrEnum):
    """Where the report goes: one issue edited in place, files in the data folder, nowhere."""

    ISSUE = "issue"
    FILES = "files"
    NONE = "none"


class Commands(StrEnum):
    """Whom `/tagger …` comments are answered: from this role on, or nobody."""

    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"
    OFF = "off"


def _schedule_text(text: str) -> str:
    if len(Schedule.of(text).minutes) > 1:
        raise ValueError("due more than once an hour; give one minute, such as 0")
    return text


STORED = "stored"
"""In the context of a validation: the rules were in force before, and stay so."""


def _pattern_text(text: str, info: ValidationInfo) -> str:
    if not _is_stored(info):
        TitlePattern.of(text)
    return text


def _name_pattern(text: str, info: ValidationInfo) -> str:
    if text.count(ANY_TEXT) > MAX_ANY_TEXT and not _is_stored(info):
        raise ValueError(f"{text!r} has more than {MAX_ANY_TEXT} {ANY_TEXT}")
    return text


def _is_stored(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get(STORED))


_PRINTABLE = r"^[^\s\x00-\x1f](?:[^\x00-\x1f]*[^\s\x00-\x1f])?$"
"""No control character, no blank at either end."""

_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]{0,62}(?:/[A-Za-z0-9][A-Za-z0-9_-]{0,99})?")


def is_owner(text: str) -> bool:
    """Whether a text is a person's name (`@login`) or a team's (`@organisation/team`)."""
    return bool(_OWNER.fullmatch(text))


def _owner(text: str) -> str:
    if not is_owner(text):
        raise ValueError(f"{text!r} is nobody on GitHub; write @login or @organisation/team")
    return text


def _field_name(text: str) -> str:
    if BETWEEN in text:
        raise ValueError(f"{text!r} has {BETWEEN!r} in it, which parts a field from its value")
    return text


def _no_setting(mode: object) -> object:
    if mode != Mode.SUGGEST:
        raise ValueError(f"got {mode!r}, expected suggest: values of fields are never set")
    return Mode.SUGGEST


Owner = Annotated[str, AfterValidator(_owner)]
"""A person or a team: nothing in it is markup."""
Text = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE)]
LabelName = Annotated[str, StringConstraints(max_length=50, pattern=_PRINTABLE)]
TypeName = Annotated[str, StringConstraints(max_length=100, pattern=_PRINTABLE)]
FieldName = Annotated[TypeName, AfterValidator(_field_name)]
FieldMode = Annotated[Literal[Mode.SUGGEST], BeforeValidator(_no_setting)]
NameText = Annotated[
    str, StringConstraints(max_length=100, pattern=_PRINTABLE), AfterValidator(_name_pattern)
]
TitleText = Annotated[str, Field(max_length=200), AfterValidator(_pattern_text)]
Cron = Annotated[str, Field(max_length=100), AfterValidator(_schedule_text)]
Precision = Annotated[float, Strict(), Field(ge=0.5, le=0.999)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Count = Annotated[int, Strict()]
