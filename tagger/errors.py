"""Everything `tagger` raises on purpose.

TaggerError
├── NothingToLearnFrom      no label, or no labelled issue where one is needed
├── UnknownStrategy         a name that is not in the registry
├── NotMeasured             a strategy that the chain cannot weigh yet
├── NotATeacher             a release, or a part of it, that no student can be made of
├── DeviceMissing           the device asked for is not on this machine
├── ModelNotFound           no folder, cache, hub or package holds the model asked for
├── ModelRefused            the model is there but not safe or not the one expected
├── HoldsTexts              a release that cannot leave its installation without texts of issues
└── ReleaseDamaged          a release folder is incomplete or fails its digests
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class TaggerError(Exception):
    """The root: a message for people that says what was got, what was expected, what to do."""


class NothingToLearnFrom(TaggerError):
    """Training was asked for without labels, or without a labelled issue."""


class HoldsTexts(TaggerError):
    """A release that cannot leave its installation without texts of issues."""


class UnknownStrategy(TaggerError):
    """A strategy name that the registry does not hold."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(names)
        nearest = difflib.get_close_matches(name, self.known, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        super().__init__(f"unknown strategy {name!r}; {hint}known are {', '.join(self.known)}")


class NotMeasured(TaggerError):
    """A strategy asked for as the chain's member, whose scores have no measured prior."""

    def __init__(self, names: Iterable[str], measured: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"the chain cannot weigh {', '.join(self.names)}: nobody has measured yet how far it "
            f"can be trusted at which number of examples (issue-tagger prior does); members "
            f"may be {', '.join(measured)}. issue-tagger evaluate scores every strategy by itself"
        )


class NotATeacher(TaggerError):
    """A release, or a member of it, that compression cannot make a student of."""


class DeviceMissing(TaggerError):
    """A device that was asked for by name and that PyTorch cannot compute on here."""


class ModelNotFound(TaggerError):
    """A model that none of the places searched holds."""


class ModelRefused(TaggerError):
    """A model that was found and must not be used (wrong digest, pickled weights, remote code)."""


class ReleaseDamaged(TaggerError):
    """A release folder that is incomplete or differs from its manifest."""

    def __init__(self, folder: Path, why: str) -> None:
        self.folder = folder
        super().__init__(
            f"release folder {folder} is damaged: {why}; "
            "retrain, or roll back to another release (issue-tagger rollback REPO)"
        )
