"""Contrastive: the sentence encoder tuned on pairs of labelled issues, logistic heads on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch

from tagger.errors import ModelNotFound, ReleaseDamaged
from tagger.evaluation.stratification import stratified_sample
from tagger.persistence import load_arrays, save_arrays
from tagger.selection import learnable, require_examples, smoothed_share
from tagger.training.classifier import TextClassifier
from tagger.training.contrast import ContrastRecipe, Tuned, tune
from tagger.training.tokens import TokenReader
from tagger.training.tuned_model import TunedModel
from tagger.transformer_encoder import choose_device, load, position_limit
from tagger.wordings import wordings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.issue import IssueText, TrainingSet
    from tagger.strategy import Resources, Scores

MAX_TOKENS = 128
"""Title and the first paragraphs, as for the other transformers that are tuned."""

INVERSE_PENALTY = 10.0
"""scikit-learn's C of the heads. On unit vectors the usual 1.0 leaves them all but flat."""

MOST_ISSUES = 4000
"""Labelled issues that are looked at: more of them is what `fine-tuned` is for."""


class Contrastive:
    """Few-shot contrastive tuning of the body, then one logistic head a label on its vectors.

    Source: Tunstall et al. 2022, "Efficient Few-Shot Learning Without Prompts" (SetFit,
    https://arxiv.org/abs/2209.11055), made aware of several labels (see `tagger.training.contrast`)
    and given the labels' wordings as further anchors, which also serve the heads as examples.

    A label that no training issue carries, or every one, has nothing to teach: its score is its
    smoothed share.
    """

    name: ClassVar[str] = "contrastive"
    needs_examples: ClassVar[bool] = True
    recipe: ClassVar[ContrastRecipe] = ContrastRecipe()

    model_: TunedModel | None
    """None where no label could be learned."""

    def __init__(self, resources: Resources, *, seed: int = 0) -> None:
        self.resources = resources
        self.seed = seed

    def fit(self, train: TrainingSet) -> Self:
        """Tune, then fit the heads.

        :raises NothingToLearnFrom: no labels, or no labelled issue.
        :raises ModelNotFound: `resources` has neither `encoder_model` nor `bert_model`.
        """
        require_examples(train)
        self.shares_ = smoothed_share(train.targets)
        if len(train) > MOST_ISSUES:
            train = train.subset(stratified_sample(train.targets, MOST_ISSUES, self.seed))
        self.learnable_ = np.flatnonzero(learnable(train.targets))
        self.model_ = self._learn(train) if len(self.learnable_) else None
        return self

    def score(self, issues: Sequence[IssueText]) -> Scores:
        scores = np.tile(self.shares_, (len(issues), 1))
        if self.model_ is not None and issues:
            scores[:, self.learnable_] = self.model_.score([issue.full for issue in issues])
        return scores

    def save(self, folder: Path) -> None:
        save_arrays(
            folder / "labels.safetensors",
            {"shares": self.shares_, "learnable": self.learnable_.astype(np.int64)},
        )
        if self.model_ is not None:
            (folder / "model").mkdir()
            self.model_.save(folder / "model")

    def restore(self, folder: Path) -> Self:
        labels = load_arrays(folder / "labels.safetensors", "shares", "learnable")
        self.shares_, self.learnable_ = labels["shares"], labels["learnable"]
        self.model_ = None
        if len(self.learnable_):
            self.model_ = TunedModel.restore(folder / "model", self.resources.device)
            if self.model_.classifier.head.out_features != len(self.learnable_):
                raise ReleaseDamaged(folder, "the head and the labels are of different number")
        return self

    def _learn(self, train: TrainingSet) -> TunedModel:
        device = choose_device(self.resources.device)
        tokenizer, body = load(self._body(), torch.float32, device)
        reader = TokenReader(tokenizer, min(MAX_TOKENS, position_limit(body.config)))
        classifier = TextClassifier(body, len(self.learnable_)).to(device)
        tuned = tune(
            classifier,
            reader,
            [issue.full for issue in train.issues],
            train.targets,
            said=[wordings(label) for label in train.labels],
            recipe=self.recipe,
            seed=self.seed,
            progress=self.resources.progress,
        )
        classifier.set_head(*heads(tuned, train.targets, self.learnable_))
        return TunedModel(reader, classifier)

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


def heads(
    tuned: Tuned, targets: NDArray[np.bool_], learned: NDArray[np.int_]
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
        own = np.arange(n_labels) == label
        weights = np.concatenate([np.ones(n_issues), np.where(own, 1.0, 1 / max(1, n_labels - 1))])
        head = LogisticRegression(C=INVERSE_PENALTY, max_iter=500)
        fitted.append(head.fit(vectors, np.concatenate([targets[:, label], own]), weights))
    return (
        np.stack([head.coef_[0] for head in fitted]).astype(np.float32),
        np.array([head.intercept_[0] for head in fitted], dtype=np.float32),
    )
