"""What the strategies that tune a transformer share: learned labels, scores, a folder on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np

from tagger.domain.issue import IssueText
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_arrays, save_arrays
from tagger.training.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources, Scores


TWINS_UP_TO = 64
"""Labelled issues up to which each gets a twin."""


class TunedLabels:
    """Scores of a tuned model for the labels that had something to teach.

    A label that no training issue carries, or every one, has nothing to teach: its score is its
    smoothed share.

    :ivar shares_: each label's smoothed share. *Shape:* (n_labels,)
    :ivar learnable_: columns of the labels that the model scores. *Shape:* (n_learned,)
    :ivar model_: None where no label could be learned.
    """

    shares_: NDArray[np.float32]
    learnable_: NDArray[np.int_]
    model_: TunedModel | None

    def __init__(self, resources: Resources, *, seed: int = 0) -> None:
        self.resources = resources
        self.seed = seed

    def _with_twins(self, train: TrainingSet) -> TrainingSet:
        """Each of a few labelled issues a second time, translated there and back.

        Only where a pair of models was named (`resources.translation`): twins pay where issues are
        few, and with more of them each would cost a second or so.
        """
        if self.resources.translation is None or not 0 < len(train) <= TWINS_UP_TO:
            return train
        self.resources.progress("translating", 0, len(train))
        texts = self.resources.translation().twins(
            [issue.full for issue in train.issues], seed=self.seed
        )
        self.resources.progress("translating", len(train), len(train))
        return replace(
            train,
            numbers=(*train.numbers, *train.numbers),
            issues=(*train.issues, *map(IssueText, texts)),
            targets=np.vstack([train.targets, train.targets]),
        )

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`."""
        scores = np.tile(self.shares_, (len(issues), 1))
        if self.model_ is not None and issues:
            scores[:, self.learnable_] = self.model_.score([issue.full for issue in issues])
        return scores

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        save_arrays(
            folder / "labels.safetensors",
            {"shares": self.shares_, "learnable": self.learnable_.astype(np.int64)},
        )
        if self.model_ is not None:
            (folder / "model").mkdir()
            self.model_.save(folder / "model")

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        labels = load_arrays(folder / "labels.safetensors", "shares", "learnable")
        self.shares_, self.learnable_ = labels["shares"], labels["learnable"]
        self.model_ = None
        if len(self.learnable_):
            self.model_ = TunedModel.restore(folder / "model", self.resources)
            if self.model_.n_labels != len(self.learnable_):
                raise ReleaseDamaged(folder, "the head and the labels are of different number")
        return self
