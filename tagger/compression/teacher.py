"""Who teaches a student, and which transformer the student begins as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.errors import NotATeacher
from tagger.strategies import TUNING
from tagger.strategies.distilled import Distilled

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.strategy import Resources, Strategy
    from tagger.releases.release import Release

CHAIN = "chain"
BEST = "best"


@dataclass(frozen=True)
class TeacherSource:
    """A teacher and the folder of its student's start."""

    strategy: Strategy
    start: Path

    @classmethod
    def of(cls, release: Release, name: str, resources: Resources) -> TeacherSource:
        """Find them in a release.

        :param name: "chain", "best" or a member's name.
        :raises NotATeacher: the release has no such member, or is a student itself.
        """
        chain = release.chain
        members = {member.name: member.strategy for member in chain.learned_.cascade.members}
        if Distilled.name in members:
            raise NotATeacher(
                f"release {release.manifest.id} is a student itself; issue-tagger promote a "
                "release that was trained, or retrain, and compress that"
            )
        tuned = [name for name in members if name in TUNING]
        served = {each: chain.learned_.served_by.count(each) for each in tuned}
        best = max(tuned, key=lambda each: served[each], default=None)
        if name != CHAIN and (best is None or name not in (BEST, *tuned)):
            raise NotATeacher(
                f"release {release.manifest.id} has no tuned transformer {name!r}; teachers may "
                f"be {', '.join((CHAIN, *([BEST] if tuned else []), *tuned))}"
            )
        chosen = best if name in (CHAIN, BEST) else name
        folder = release.member_folder(chosen) / "model" if chosen else resources.encoder_model
        if folder is None or not folder.is_dir():
            raise NotATeacher(
                "there is no transformer for the student to start as; set ISSUE_TAGGER_ENCODER "
                "to a folder that holds one (config.json, tokenizer, model.safetensors)"
            )
        return cls(chain if name == CHAIN else members[str(chosen)], folder)
