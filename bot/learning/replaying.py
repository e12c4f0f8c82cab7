"""Replay: asks the gate once more what it was asked after a training, on the issues as filed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.errors import CommandRefused
from bot.learning.gating import UnderPresentNames
from tagger.domain.issue import IssueText, Label, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from store.database import Store
    from store.records import ComparedOn, StoredIssue, StoredRelease
    from tagger.domain.strategy import Resources
    from tagger.monitoring.gate import GateDecision


@dataclass(frozen=True, slots=True)
class Replayed:
    """The decision as it comes out now, and as it was stored.

    :ivar same: promoted or refused alike, with the same figures. A decision from before there
        was a figure is compared in the others.
    """

    release: str
    against: str
    now: GateDecision
    then: GateDecision

    @property
    def same(self) -> bool:
        figures = {figure.metric: (figure.new, figure.active) for figure in self.now.figures}
        return self.now.promote == self.then.promote and all(
            np.allclose(figures[figure.metric], (figure.new, figure.active))
            for figure in self.then.figures
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "against": self.against,
            "same": self.same,
            "now": self.now.to_json(),
            "then": self.then.to_json(),
        }


def replay(
    store: Store,
    folder_of: Callable[[StoredRelease], Path],
    resources: Resources,
    repository: str,
    release_id: str,
) -> Replayed:
    """Compare a release with the one that served when it was trained.

    Issues as filed, labels as they were then: what people changed since does not count.

    :param folder_of: where a release's files are; fetches them if need be.
    :raises NotStored: there is no such release, or an issue was deleted.
    :raises CommandRefused: it was not compared with any.
    :raises ReleaseDamaged: the files of one of them are missing or changed.
    """
    from tagger.monitoring.release_comparison import compare
    from tagger.releases.release import Release

    with store.read() as work:
        repository_id = work.repositories.get(repository).id
        new = work.releases.get(repository_id, release_id)
        compared = new.provenance.replay
        if compared is None or new.gate is None:
            reason = new.gate_reason or "it was not gated"
            raise CommandRefused(f"release {release_id} was compared with no other: {reason}")
        active = work.releases.get(repository_id, compared.against)
        issues = [work.issues.get(repository_id, number) for number, _ in compared.issues]
    held_out = _held_out(compared, issues)
    first, second = (
        UnderPresentNames.of(
            Release.open(folder_of(release), resources), compared.renames, compared.labels
        )
        for release in (new, active)
    )
    return Replayed(new.id, active.id, compare(first, second, held_out), new.gate)


def _held_out(compared: ComparedOn, issues: Sequence[StoredIssue]) -> TrainingSet:
    """The issues as filed, with the labels that they had then."""
    targets = np.zeros((len(issues), len(compared.labels)), dtype=bool)
    for row, (_, columns) in enumerate(compared.issues):
        targets[row, list(columns)] = True
    return TrainingSet(
        tuple(map(Label, compared.labels)),
        tuple(issue.number for issue in issues),
        tuple(
            IssueText.of(issue.filed_title, issue.filed_body, place=issue.place) for issue in issues
        ),
        targets,
    )
