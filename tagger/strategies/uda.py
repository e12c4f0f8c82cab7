"""UDA: an unlabelled issue and its twin in other words are to get the same labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tagger.semi_supervised.consistency import ConsistencyRecipe, train_consistently
from tagger.semi_supervised.mixed_training import MixedTexts
from tagger.strategies.semi_supervised import SemiSupervised
from tagger.text.augmentation import augmented, has_masked_lm_head
from tagger.text.word_replacement import WordReplacement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagger.domain.issue import TrainingSet
    from tagger.training.classifier import TextClassifier
    from tagger.training.tokens import TokenReader


class UnsupervisedAugmentation(SemiSupervised):
    """Unsupervised Data Augmentation in its multi-label form.

    Source: Xie et al. 2020, "Unsupervised Data Augmentation for Consistency Training",
    https://arxiv.org/abs/1904.12848; see `tagger.semi_supervised.consistency`.
    """

    name: ClassVar[str] = "uda"
    recipe: ClassVar[ConsistencyRecipe] = ConsistencyRecipe()

    def _learn(
        self, classifier: TextClassifier, reader: TokenReader, train: TrainingSet
    ) -> Mapping[str, Sequence[float]]:
        originals = [issue.full for issue in self._unlabelled(train, self.recipe.texts)]
        twins = self._twins_of(originals)
        texts = MixedTexts(
            classifier,
            reader,
            self._lesson(train),
            [*originals, *twins],
            self._scheduled(self.recipe.fine_tuning),
        )
        return train_consistently(
            texts, self.shares_, self.recipe, seed=self.seed, progress=self.resources.progress
        )

    def _twins_of(self, originals: Sequence[str]) -> list[str]:
        """By translation where a pair of models was named, else by words.

        Every other text's words are a masked model's guesses where the transformer is such a model.
        """
        if self.resources.translation is not None:
            return self.resources.translation().twins(originals, seed=self.seed)
        twins = WordReplacement(originals).twins(originals, seed=self.seed)
        folder = self.resources.bert_model
        if has_masked_lm_head(folder):
            guessed = augmented(
                originals[::2], "context", copies=1, seed=self.seed, masked_lm=folder
            )
            twins[::2] = guessed
        return twins
