"""Distilled: a small transformer that says what its teacher says, in a fraction of the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch

from tagger.distillation.distilling import Texts, distil
from tagger.distillation.small_model import SmallModel
from tagger.distillation.student import drop_layers
from tagger.encoders.loading import load, position_limit
from tagger.errors import NothingToLearnFrom, ReleaseDamaged
from tagger.persistence import load_json, save_json
from tagger.runtimes.devices import choose_device
from tagger.training.classifier import TextClassifier
from tagger.training.tokens import TokenReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tagger.distillation.distilling import DistillationRecipe
    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Resources, Scores

MAX_TOKENS = 128
"""Title and the first paragraphs, as for the other transformers that are tuned."""

RECORD = "distilled.json"


@dataclass(frozen=True)
class Teaching:
    """What a student is taught with.

    :ivar start: folder of the transformer that it begins as.
    :ivar layers: of it that it keeps.
    :ivar soft: the teacher's probabilities, for every text that may be learned from.
        *Shape of each:* (n_labels,)
    """

    start: Path
    layers: int
    soft: Mapping[IssueText, Scores]
    recipe: DistillationRecipe


class Distilled:
    """A student of another strategy, or of the whole chain; see `tagger.compression`.

    :param teaching: None where it is only going to be restored.
    """

    name: ClassVar[str] = "distilled"
    needs_examples: ClassVar[bool] = True

    model_: SmallModel

    def __init__(
        self, resources: Resources, *, seed: int = 0, teaching: Teaching | None = None
    ) -> None:
        self.resources = resources
        self.seed = seed
        self.teaching = teaching

    def fit(self, train: TrainingSet) -> Self:
        """Learn from labelled and unlabelled issues that the teacher has scored.

        :raises NothingToLearnFrom: there is no teacher, or no text that it has scored.
        """
        if self.teaching is None:
            raise NothingToLearnFrom(
                "distilled learns from a teacher and got none; "
                "issue-tagger compress REPO makes a student of the release that serves"
            )
        soft = self.teaching.soft
        issues = [issue for issue in (*train.issues, *train.unlabelled) if issue in soft]
        if not issues or not train.labels:
            raise NothingToLearnFrom("the student got no issue that its teacher has scored")
        training_texts = _lesson(train, issues, soft)
        reader, student = self._start(self.teaching, len(train.labels))
        distil(
            student,
            reader,
            training_texts,
            self.teaching.recipe,
            seed=self.seed,
            progress=self.resources.progress,
        )
        self.model_ = SmallModel.of(reader, student, self.resources)
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        """See `Strategy.score`."""
        return self.model_.score([issue.full for issue in issues])

    def save(self, folder: Path) -> None:
        """See `Strategy.save`."""
        self.model_.save(folder)
        save_json(folder / RECORD, {"labels": self.model_.n_labels})

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        self.model_ = SmallModel.restore(folder, self.resources)
        if load_json(folder / RECORD).get("labels") != self.model_.n_labels:
            raise ReleaseDamaged(folder, "the head and the labels are of different number")
        return self

    def _start(self, teaching: Teaching, n_labels: int) -> tuple[TokenReader, TextClassifier]:
        device = choose_device(self.resources.device)
        tokenizer, body = load(teaching.start, torch.float32, device)
        reader = TokenReader(tokenizer, min(MAX_TOKENS, position_limit(body.config)))
        student = TextClassifier(drop_layers(body, teaching.layers), n_labels)
        return reader, student.to(device)


def _lesson(
    train: TrainingSet, issues: Sequence[IssueText], soft: Mapping[IssueText, Scores]
) -> Texts:
    row_of = {issue: row for row, issue in enumerate(train.issues)}
    truth = np.zeros((len(issues), len(train.labels)), dtype=bool)
    labelled = np.array([issue in row_of for issue in issues])
    for row, issue in enumerate(issues):
        if issue in row_of:
            truth[row] = train.targets[row_of[issue]]
    return Texts(
        [issue.full for issue in issues],
        np.stack([soft[issue] for issue in issues]).astype(np.float32),
        truth,
        labelled,
    )
