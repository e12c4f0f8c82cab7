"""What `ust` and `uda` share: labelled issues, wordings and unlabelled texts under one body."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch

from tagger.encoders.loading import load, position_limit
from tagger.errors import ModelNotFound
from tagger.label_semantics.prompts import verbalizers
from tagger.runtimes.devices import choose_device
from tagger.semi_supervised.unlabelled_texts import texts_to_learn_from
from tagger.semi_supervised.weighted_texts import WeightedTexts
from tagger.statistics.variant_selection import require_examples, smoothed_share
from tagger.strategies.tuned import TunedLabels
from tagger.training.classifier import TextClassifier
from tagger.training.tokens import TokenReader
from tagger.training.training_loop import seeded
from tagger.training.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.strategies.candidates import Curve
    from tagger.training.fine_tuning import FineTuningRecipe

MAX_TOKENS = 128
"""Title and the first paragraphs, as for the other transformers that are tuned."""


class SemiSupervised(TunedLabels):
    """A transformer that learns from unlabelled issues beside the labelled ones.

    Each label's wording is a weak example of it, so a label that no issue carries is scored too.

    :cvar wordings: whether the labels' wordings are learned from; False serves comparisons.
    :ivar curves_: loss over steps, by step; not kept in a release.
    """

    needs_examples: ClassVar[bool] = True
    wordings: ClassVar[bool] = True
    name: ClassVar[str]

    curves_: Mapping[str, Curve]

    def fit(self, train: TrainingSet) -> Self:
        """See `Strategy.fit`.

        :raises NothingToLearnFrom: no labels, or no labelled issue.
        :raises ModelNotFound: `resources` has neither `encoder_model` nor `bert_model`.
        """
        require_examples(train)
        self.shares_ = smoothed_share(train.targets)
        self.learnable_ = np.arange(len(train.labels))
        device = choose_device(self.resources.device)
        with seeded(self.seed, device):
            classifier, reader = self._open(train, device)
            losses = self._learn(classifier, reader, self._with_twins(train))
        self.curves_ = {
            name: tuple((float(step), loss) for step, loss in enumerate(values, 1))
            for name, values in losses.items()
        }
        self.model_ = TunedModel.of(reader, classifier.eval(), self.resources)
        return self

    def _open(self, train: TrainingSet, device: torch.device) -> tuple[TextClassifier, TokenReader]:
        """What is trained, and how it reads."""
        tokenizer, body = load(self._body(), torch.float32, device)
        reader = TokenReader(tokenizer, min(MAX_TOKENS, position_limit(body.config)))
        return TextClassifier(body, len(train.labels)).to(device), reader

    @abstractmethod
    def _learn(
        self, classifier: TextClassifier, reader: TokenReader, train: TrainingSet
    ) -> Mapping[str, Sequence[float]]:
        """Train in place. Losses by step."""

    def _lesson(self, train: TrainingSet) -> WeightedTexts:
        wordings = [verbalizers(label) for label in train.labels] if self.wordings else []
        return WeightedTexts.of([issue.full for issue in train.issues], train.targets, wordings)

    def _scheduled(self, recipe: FineTuningRecipe) -> FineTuningRecipe:
        """The recipe under the schedule that the installation set."""
        return replace(recipe, schedule=self.resources.schedule)

    def _unlabelled(self, train: TrainingSet, most: int) -> tuple[IssueText, ...]:
        return texts_to_learn_from(train, most)

    def _body(self) -> Path:
        """The sentence encoder's own transformer, or else the one that is there to be tuned."""
        folder = self.resources.encoder_model or self.resources.bert_model
        if folder is None:
            raise ModelNotFound(
                f"{self.name} needs a transformer to tune and none was found; set "
                "ISSUE_TAGGER_ENCODER or ISSUE_TAGGER_BERT_MODEL to a folder that holds one "
                "(config.json, tokenizer, model.safetensors) or to a name on the hub"
            )
        return folder

    def restore(self, folder: Path) -> Self:
        """See `Strategy.restore`."""
        super().restore(folder)
        self.curves_ = {}
        return self
