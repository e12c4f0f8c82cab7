"""What maintainers are told of an issue beside its labels: the key `advice`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Strict

from bot.configuration.section import Section


class DuplicateAdvice(StrEnum):
    """Whether a likely duplicate is named."""

    OFF = "off"
    MEASURED = "measured"


class AdviceSettings(Section):
    """What maintainers are told of an issue beside its labels."""

    duplicates: DuplicateAdvice = DuplicateAdvice.MEASURED
    """`measured`: the earlier issue that one most likely repeats is named, where the repository's
    own "duplicate of #n" show that nine in ten of such answers are right. `off`: never."""
    missing_information: Annotated[bool, Strict()] = False
    """Whether maintainers are told what an issue leaves empty of its form: the version, the steps,
    all of it."""
    security: Annotated[bool, Strict()] = False
    """Whether maintainers are told, in no comment, where an issue describes a vulnerability."""
    code_owners: Annotated[bool, Strict()] = False
    """Whether maintainers are told whom, by the repository's CODEOWNERS, the files are for that an
    issue names."""
    assignee: Annotated[bool, Strict()] = False
    """Whether the one person whom `routes`, or CODEOWNERS where it is read, names for an issue is
    suggested as its assignee, among GitHub's own suggestions."""
    mention_owners: Annotated[bool, Strict()] = False
    """Whether owners of `routes` and of files are mentioned in the bot's comment, which notifies
    them; else their names stand there as code."""
