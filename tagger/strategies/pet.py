"""PET: a masked language model fills "This issue is about …" with one of the labels' words."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, cast

from tagger.encoders.loading import position_limit
from tagger.errors import ModelNotFound, ModelRefused
from tagger.label_semantics.prompts import background
from tagger.prompting.cloze_texts import QUESTION, ClozeTexts, MaskedModel, wordings_of
from tagger.prompting.label_conditioning import LabelConditioning
from tagger.runtimes.devices import choose_device
from tagger.semi_supervised.self_training import SelfTrainingRecipe, self_train
from tagger.semi_supervised.weighted_texts import WeightedTexts
from tagger.strategies.adapted import cache_of, corpus_of
from tagger.strategies.semi_supervised import SemiSupervised
from tagger.text.augmentation import has_masked_lm_head
from tagger.training.adaptation import AdaptationSettings
from tagger.training.budget import StepBudget
from tagger.training.fine_tuning import FineTuningRecipe
from tagger.training.tokens import TokenReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import torch

    from tagger.domain.issue import TrainingSet
    from tagger.training.classifier import ClozeClassifier, TextClassifier

OBJECTIVE = "masked-language"

ENOUGH_TEXTS = 32
"""Below this the texts that likelihoods are measured against are filled up with usual phrases."""


@dataclass(frozen=True)
class PatternRecipe:
    """What PET does, in numbers.

    :ivar tuning: teacher and generations: `rounds` is how many generations iPET adds.
    :ivar conditioning: of the label-conditioned loss beside the labelled one; 0 leaves it out.
    """

    tuning: SelfTrainingRecipe = field(
        default_factory=lambda: SelfTrainingRecipe(
            fine_tuning=FineTuningRecipe(rate=3e-4, taught_tokens=64),
            teacher_steps=40,
            rounds=0,
            by_uncertainty=False,
        )
    )
    conditioning: float = 0.0


class PatternExploiting(SemiSupervised):
    """Pattern-exploiting training of a masked language model, in ADAPET's single-model form.

    Sources: Schick and Schütze 2021, "Exploiting Cloze Questions for Few Shot Text Classification
    and Natural Language Inference", https://arxiv.org/abs/2001.07676 (patterns, verbalizers, iPET's
    generations); Tam et al. 2021, "Improving and Simplifying Pattern Exploiting Training",
    https://arxiv.org/abs/2103.11955 (each label judged by itself, label conditioning).

    A checkpoint with a masked-LM head is used as it is. To another one a head is trained on the
    repository's unlabelled texts, as `adapted` does, and kept in the same cache.
    """

    name: ClassVar[str] = "pet"
    recipe: ClassVar[PatternRecipe] = PatternRecipe()
    budget: ClassVar[StepBudget] = StepBudget()

    def _open(self, train: TrainingSet, device: torch.device) -> tuple[TextClassifier, TokenReader]:
        with self._masked_model(train) as folder:
            try:
                self._model = MaskedModel.open(folder, device)
            except (ValueError, AttributeError) as error:
                raise ModelRefused(
                    f"pet cannot ask the model in {folder}: {error}; set "
                    "ISSUE_TAGGER_BERT_MODEL to a masked language model"
                ) from error
        # no longer than in training: the gap would stand where it never was
        most = self.recipe.tuning.fine_tuning.taught_tokens
        limit = min(most, position_limit(self._model.body.config))
        reader = TokenReader(self._model.tokenizer, limit, QUESTION)
        return self._model.classifier(len(train.labels)).to(device), reader

    def _learn(
        self, classifier: TextClassifier, reader: TokenReader, train: TrainingSet
    ) -> Mapping[str, Sequence[float]]:
        recipe, model, wordings = self.recipe, self._model, wordings_of(train.labels)
        del self._model  # the classifier holds all that is needed later
        unlabelled = [issue.full for issue in self._unlabelled(train, recipe.tuning.texts)]
        missing = max(0, ENOUGH_TEXTS - len(train) - len(unlabelled))
        texts = ClozeTexts(
            cast("ClozeClassifier", classifier),
            reader,
            WeightedTexts.of([issue.full for issue in train.issues], train.targets),
            [*unlabelled, *background()[:missing]],
            self._scheduled(recipe.tuning.fine_tuning),
            model.rows(wordings),
            self.shares_,
        )
        further = []
        if recipe.conditioning:
            names = [each[0] for each in wordings]
            further.append(
                LabelConditioning(
                    texts, model, reader, names, weight=recipe.conditioning, seed=self.seed
                )
            )
        return self_train(
            texts,
            self.shares_,
            recipe.tuning,
            further,
            seed=self.seed,
            progress=self.resources.progress,
        )

    @contextmanager
    def _masked_model(self, train: TrainingSet) -> Iterator[Path]:
        """Folder of a masked language model, of which a head was trained where there was none."""
        base = self._body()
        if has_masked_lm_head(base):
            yield base
            return
        device = choose_device(self.resources.device)
        with cache_of(self.resources) as cache:
            workshop = AdaptationSettings(
                base,
                cache,
                device,
                replace(self.budget, whole_words=self.resources.whole_words),
                self.resources.progress,
            )
            bodies, impossible = workshop.adapt(corpus_of(train)[1], [OBJECTIVE])
            if OBJECTIVE not in bodies:
                raise ModelRefused(
                    f"pet needs a masked language model: {impossible[OBJECTIVE]}; set "
                    "ISSUE_TAGGER_BERT_MODEL to one"
                )
            yield bodies[OBJECTIVE].folder

    def _body(self) -> Path:
        """The transformer that is there to be tuned, or else the encoder's."""
        folder = self.resources.bert_model or self.resources.encoder_model
        if folder is None:
            raise ModelNotFound(
                "pet needs a masked language model and none was found; set "
                "ISSUE_TAGGER_BERT_MODEL to a folder that holds one (config.json, tokenizer, "
                "model.safetensors) or to a name on the hub"
            )
        return folder
