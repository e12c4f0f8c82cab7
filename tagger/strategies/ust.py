"""UST: a teacher labels unlabelled issues, and its student learns what the teacher is sure of."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tagger.semi_supervised.mixed_training import MixedTexts
from tagger.semi_supervised.self_training import SelfTrainingRecipe, self_train
from tagger.strategies.semi_supervised import SemiSupervised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.training.classifier import TextClassifier
    from tagger.training.tokens import TokenReader


class UncertaintySelfTraining(SemiSupervised):
    """Uncertainty-aware self-training in its multi-label form.

    Source: Mukherjee and Awadallah 2020, "Uncertainty-aware Self-training for Few-shot Text
    Classification", https://arxiv.org/abs/2006.15315; see `tagger.semi_supervised.self_training`.
    """

    name: ClassVar[str] = "ust"
    recipe: ClassVar[SelfTrainingRecipe] = SelfTrainingRecipe()

    def _learn(
        self, classifier: TextClassifier, reader: TokenReader, train: TrainingSet
    ) -> Mapping[str, Sequence[float]]:
        unlabelled = self._unlabelled(train, self.recipe.texts)
        texts = MixedTexts(
            classifier,
            reader,
            self._lesson(train),
            [issue.full for issue in unlabelled],
            self._scheduled(self.recipe.fine_tuning),
        )
        return self_train(
            texts, self.shares_, self.recipe, seed=self.seed, progress=self.resources.progress
        )


class PlainSelfTraining(UncertaintySelfTraining):
    """The baseline: calibrated soft pseudo-labels of every text. In no registry."""

    recipe: ClassVar[SelfTrainingRecipe] = SelfTrainingRecipe(by_uncertainty=False)
