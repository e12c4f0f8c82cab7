"""What maintainers are told of an issue beside its labels: the key `advice`."""

from __future__ import annotations

from enum import StrEnum

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
