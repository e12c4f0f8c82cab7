"""Fine-tuned: a transformer whose upper layers learn this repository's labels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tagger.encoders.loading import position_limit
from tagger.errors import ModelNotFound, NothingToLearnFrom
from tagger.runtimes.devices import choose_device
from tagger.statistics.variant_selection import learnable, smoothed_share
from tagger.strategies.tuned import TunedLabels
from tagger.training.classifier import TextClassifier
from tagger.training.fine_tuning import BOOK, FineTuningRecipe, fine_tune
from tagger.training.tokens import TokenReader
from tagger.training.training_body import load_to_train
from tagger.training.training_loop import seeded
from tagger.training.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.training.fine_tuning import TrainingCourse

MAX_TOKENS = 128
"""Title and the first paragraphs. Twice as many cost twice the time, and gave a logistic head over
480 issues -.001 (ten labels) and +.006 (fourteen labels) of average precision."""


class FineTuned(TunedLabels):
    """Sequence classification with sigmoid outputs over a transformer's mean-pooled states.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Fine-tuning a vanilla transformer"; started from a logistic head (Kumar et al.
    2022, https://arxiv.org/abs/2202.10054).
    """

    name: ClassVar[str] = "fine-tuned"
    needs_examples: ClassVar[bool] = True
    recipe: ClassVar[FineTuningRecipe] = FineTuningRecipe()
    max_tokens: ClassVar[int] = MAX_TOKENS

    course_: TrainingCourse | None

    def fit(self, train: TrainingSet) -> Self:
        if not len(train) or not train.labels:
            raise NothingToLearnFrom(
                f"{self.name} got {len(train)} labelled issues and {len(train.labels)} labels, "
                "expected at least one of each: label an issue, or use zero-shot"
            )
        self.shares_ = smoothed_share(train.targets)
        self.learnable_ = np.flatnonzero(learnable(train.targets))
        self.model_, self.course_ = None, None
        if len(self.learnable_):
            with (
                self._start(train) as start,
                seeded(self.seed, choose_device(self.resources.device)),
            ):
                self._learn(self._with_twins(train), start)
        return self

    @contextmanager
    def _start(self, train: TrainingSet) -> Iterator[Path]:  # noqa: ARG002 - `adapted` reads it
        """Folder of the transformer that the training begins from."""
        if self.resources.bert_model is None:
            raise ModelNotFound(
                f"{self.name} needs a transformer to tune and none was found; set "
                "ISSUE_TAGGER_BERT_MODEL to a folder that holds one (config.json, tokenizer, "
                "model.safetensors) or to a name on the hub"
            )
        yield self.resources.bert_model

    def _learn(self, train: TrainingSet, start: Path) -> None:
        device = choose_device(self.resources.device)
        tokenizer, body = load_to_train(start, device)
        reader = TokenReader(tokenizer, min(self.max_tokens, position_limit(body.config)))
        classifier = TextClassifier(body, len(self.learnable_)).to(device)
        self.course_ = fine_tune(
            classifier,
            reader,
            [issue.full for issue in train.issues],
            train.targets[:, self.learnable_],
            replace(self.recipe, schedule=self.resources.schedule),
            seed=self.seed,
            progress=self.resources.progress,
        )
        self.model_ = TunedModel.of(reader, classifier, self.resources)

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        super().restore(folder)
        self.course_ = None
        return self


class ThoroughFineTuned(FineTuned):
    """In the book's own manner, at the book's own price: for comparison, or for who has time."""

    name: ClassVar[str] = "fine-tuned-thorough"
    recipe: ClassVar[FineTuningRecipe] = BOOK
    max_tokens: ClassVar[int] = 512
