"""Contrastive: the sentence encoder tuned on pairs of labelled issues, logistic heads on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tagger.encoders.loading import position_limit
from tagger.errors import ModelNotFound
from tagger.label_semantics.prompts import verbalizers
from tagger.runtimes.devices import choose_device
from tagger.statistics.stratification import stratified_sample
from tagger.statistics.variant_selection import learnable, require_examples, smoothed_share
from tagger.strategies.tuned import TunedLabels
from tagger.training.classifier import TextClassifier
from tagger.training.contrastive_tuning import (
    THOROUGH,
    ContrastiveRecipe,
    ContrastiveTexts,
    TunedHeads,
    tune,
)
from tagger.training.tokens import TokenReader
from tagger.training.training_body import load_to_train
from tagger.training.tuned_model import TunedModel

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.domain.issue import TrainingSet

MAX_TOKENS = 128
"""Title and the first paragraphs, as for the other transformers that are tuned."""

INVERSE_PENALTY = 10.0
"""scikit-learn's C of the heads. On unit vectors the usual 1.0 leaves them all but flat."""

MAX_ISSUES = 4000
"""Labelled issues that are looked at: more of them is what `fine-tuned` is for."""


class Contrastive(TunedLabels):
    """Few-shot contrastive tuning of the body, then one logistic head a label on its vectors.

    Source: Tunstall et al. 2022, "Efficient Few-Shot Learning Without Prompts" (SetFit,
    https://arxiv.org/abs/2209.11055), made aware of several labels (see
    `tagger.training.contrastive_tuning`) and given the labels' wordings as further anchors, which
    also serve the heads as examples.
    """

    name: ClassVar[str] = "contrastive"
    needs_examples: ClassVar[bool] = True
    recipe: ClassVar[ContrastiveRecipe] = ContrastiveRecipe()

    def fit(self, train: TrainingSet) -> Self:
        """Tune, then fit the heads.

        :raises NothingToLearnFrom: no labels, or no labelled issue.
        :raises ModelNotFound: `resources` has neither `encoder_model` nor `bert_model`.
        """
        require_examples(train)
        self.shares_ = smoothed_share(train.targets)
        if len(train) > MAX_ISSUES:
            train = train.subset(stratified_sample(train.targets, MAX_ISSUES, self.seed))
        self.learnable_ = np.flatnonzero(learnable(train.targets))
        self.model_ = self._learn(self._with_twins(train)) if len(self.learnable_) else None
        return self

    def _learn(self, train: TrainingSet) -> TunedModel:
        device = choose_device(self.resources.device)
        tokenizer, body = load_to_train(self._body(), device)
        reader = TokenReader(tokenizer, min(MAX_TOKENS, position_limit(body.config)))
        classifier = TextClassifier(body, len(self.learnable_)).to(device)
        texts = ContrastiveTexts(
            [issue.full for issue in train.issues],
            train.targets,
            [verbalizers(label) for label in train.labels],
        )
        tuned = tune(
            classifier,
            reader,
            texts,
            recipe=self.recipe,
            seed=self.seed,
            progress=self.resources.progress,
        )
        classifier.set_head(*heads(tuned, train.targets, self.learnable_))
        return TunedModel.of(reader, classifier, self.resources)

    def _body(self) -> Path:
        """The sentence encoder's own transformer, or else the one that is there to be tuned."""
        folder = self.resources.encoder_model or self.resources.bert_model
        if folder is None:
            raise ModelNotFound(
                "contrastive needs a transformer to tune and none was found; set "
                "ISSUE_TAGGER_ENCODER or ISSUE_TAGGER_BERT_MODEL to a folder that holds one "
                "(config.json, tokenizer, model.safetensors) or to a name on the hub"
            )
        return folder


class ThoroughContrastive(Contrastive):
    """The same with a recipe that has time: for a release, not for an evaluation's many fits."""

    name: ClassVar[str] = "contrastive-thorough"
    recipe: ClassVar[ContrastiveRecipe] = THOROUGH


def heads(
    tuned: TunedHeads, targets: NDArray[np.bool_], learned: NDArray[np.int_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logistic regressions on the tuned vectors, with the wordings as examples of their labels.

    A label's own wording counts as one issue with the label; the other labels' wordings together
    as one without it, lest a large label set drown the few issues there are.

    :param targets: *Shape:* (n_issues, n_labels)
    :param learned: labels that have both kinds of issues. *Shape:* (n_learned,)
    :returns: weights of *Shape:* (n_learned, width), bias of *Shape:* (n_learned,).
    """
    from sklearn.linear_model import LogisticRegression

    n_issues, n_labels = targets.shape
    vectors = np.vstack([tuned.issues, tuned.anchors])
    fitted = []
    for label in learned:
        is_own = np.arange(n_labels) == label
        weights = np.concatenate(
            [np.ones(n_issues), np.where(is_own, 1.0, 1 / max(1, n_labels - 1))]
        )
        head = LogisticRegression(C=INVERSE_PENALTY, max_iter=500)
        fitted.append(head.fit(vectors, np.concatenate([targets[:, label], is_own]), weights))
    return (
        np.stack([head.coef_[0] for head in fitted]).astype(np.float32),
        np.array([head.intercept_[0] for head in fitted], dtype=np.float32),
    )
