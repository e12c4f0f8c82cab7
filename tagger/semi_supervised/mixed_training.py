"""Training on labelled and unlabelled texts at once: a batch of each, two losses, one step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from tagger.runtimes.batching import plan
from tagger.training.features import TOKENS_PER_BATCH, frozen_features, vectors_of
from tagger.training.initial_head import logistic_head
from tagger.training.losses import positive_weights
from tagger.training.optimisation import parameter_groups, rate_for
from tagger.training.tokens import endless_batches
from tagger.training.training_loop import descend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress
    from tagger.semi_supervised.weighted_texts import WeightedTexts
    from tagger.training.classifier import TextClassifier
    from tagger.training.features import Features
    from tagger.training.fine_tuning import FineTuningRecipe
    from tagger.training.tokens import TokenReader

    Rows = NDArray[np.int_]
    Probabilities = NDArray[np.float32]
    """*Shape:* (n_rows, n_labels), in [0, 1]."""


class FurtherLoss(Protocol):
    """What a batch beside the labelled one is to say.

    :ivar rows: of the texts that its batches are made of.
    """

    rows: Rows

    def __call__(self, rows: Rows, share: float) -> torch.Tensor:
        """A scalar with a gradient.

        :param rows: a batch of `self.rows`.
        :param share: of the steps that are done, in [0, 1).
        """
        ...


class SupervisedLoss(Protocol):
    """What labelled texts are to say."""

    def __call__(
        self, logits: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor, share: float
    ) -> torch.Tensor:
        """A scalar with a gradient. The first three have *Shape:* (n_rows, n_labels).

        :param weights: how much each target counts.
        :param share: of the steps that are done, in [0, 1).
        """
        ...


WORDINGS_A_STEP = 4
"""Wordings that go with each batch of issues."""


def weighted_loss(
    logits: torch.Tensor,
    truth: torch.Tensor,
    weights: torch.Tensor,
    share: float = 0.0,  # noqa: ARG001 - see `SupervisedLoss`
) -> torch.Tensor:
    """Binary cross-entropy, each target by its weight. *Shape of each:* (n_rows, n_labels)"""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, weights)


class MixedTexts:
    """Labelled texts, then unlabelled ones, under one classifier whose upper layers learn.

    The frozen layers' states are computed once and serve teacher, student and every look at them.

    :ivar n_labelled: texts from here on are unlabelled.
    """

    def __init__(
        self,
        classifier: TextClassifier,
        reader: TokenReader,
        labelled_texts: WeightedTexts,
        unlabelled: Sequence[str],
        recipe: FineTuningRecipe,
    ) -> None:
        self.classifier = classifier
        self.labelled_texts = labelled_texts
        self.recipe = recipe
        self.n_labelled = len(labelled_texts)
        taught = replace(reader, max_tokens=min(reader.max_tokens, recipe.taught_tokens))
        self.tokens = taught.read([*labelled_texts.texts, *unlabelled])
        self.features: Features = frozen_features(classifier, taught, self.tokens, recipe.frozen)
        if labelled_texts.n_issues < len(labelled_texts):
            self.labelled_texts = labelled_texts.trusting(self._vectors())
        self._start = {name: parameter.detach().clone() for name, parameter in _trained(classifier)}

    @property
    def device(self) -> torch.device:
        return self.classifier.head.weight.device

    @property
    def unlabelled(self) -> Rows:
        """Rows of the unlabelled texts."""
        return np.arange(self.n_labelled, len(self.tokens))

    def as_it_came(self) -> None:
        """Every weight back to where it was before the first step; the head is zero then."""
        self.classifier.load_state_dict(self._start, strict=False)

    def begin_anew(self) -> None:
        """As it came, under a logistic head that fits the labelled texts."""
        self.as_it_came()
        vectors = self._vectors()
        self.classifier.set_head(
            *logistic_head(vectors, self.labelled_texts.targets, self.labelled_texts.weights)
        )

    def _vectors(self) -> NDArray[np.float32]:
        """Of the labelled texts. *Shape:* (n_labelled, width)"""
        return vectors_of(self.classifier, self.features, self.tokens[: self.n_labelled])

    def logits(self, rows: Rows) -> torch.Tensor:
        """*Shape:* (n_rows, n_labels), under the dropout and gradient that hold at the moment."""
        logits: torch.Tensor = self.classifier.head(self.features(rows))
        return logits

    def probabilities(self, rows: Rows, *, dropout: bool = False) -> Probabilities:
        """What the classifier says, without gradient.

        :param dropout: leave it on: each call then draws another network (Gal and Ghahramani 2016,
            "Dropout as a Bayesian Approximation", https://arxiv.org/abs/1506.02142).
        """
        self.classifier.train(dropout)
        answers = np.zeros((len(rows), self.labelled_texts.targets.shape[1]), dtype=np.float32)
        with torch.no_grad():
            for batch in plan([len(self.tokens[row]) for row in rows], budget=TOKENS_PER_BATCH):
                answers[batch.rows] = torch.sigmoid(self.logits(rows[batch.rows])).cpu().numpy()
        return answers

    def learn(
        self,
        step_name: str,
        steps: int,
        further: Sequence[FurtherLoss] = (),
        supervised: SupervisedLoss = weighted_loss,
        *,
        seed: int,
        progress: Progress,
    ) -> list[float]:
        """Step down the labelled loss and the further ones together.

        :returns: the loss of each step.
        """
        rng = np.random.default_rng(seed)
        labelled_loss = self._labelled_loss(supervised, rng)
        size = self.recipe.batch_size
        dealt = [(loss, self._dealt(loss.rows, size, rng)) for loss in further]

        def loss_at(step: int) -> torch.Tensor:
            progress(step_name, step, steps)
            self.classifier.train()
            loss = labelled_loss(step / steps)
            for another, batches in dealt:
                loss = loss + another(next(batches), step / steps)
            return loss

        losses = descend(self._groups(), steps, loss_at, schedule=self.recipe.schedule)
        progress(step_name, steps, steps)
        return losses

    def _labelled_loss(
        self, supervised: SupervisedLoss, rng: np.random.Generator
    ) -> Callable[[float], torch.Tensor]:
        """The loss of one labelled batch after another.

        Some wordings go with each batch of issues. Dealt together they would make batches of
        nothing but wordings, for batches are of like length, and a step on such undoes others.
        """
        labelled_texts, n_issues = self.labelled_texts, self.labelled_texts.n_issues
        rarity = np.ones_like(labelled_texts.weights)
        rarity[:n_issues] += labelled_texts.targets[:n_issues] * (
            positive_weights(labelled_texts.targets[:n_issues]) - 1
        )
        truth = torch.from_numpy(labelled_texts.targets).to(self.device, torch.float32)
        weights = torch.from_numpy(rarity * labelled_texts.weights).to(self.device)
        parts = [self._dealt(np.arange(n_issues), self.recipe.batch_size, rng)]
        if n_issues < len(labelled_texts):
            parts.append(
                self._dealt(np.arange(n_issues, len(labelled_texts)), WORDINGS_A_STEP, rng)
            )

        def loss(share: float) -> torch.Tensor:
            batch = np.concatenate([next(part) for part in parts])
            return supervised(self.logits(batch), truth[batch], weights[batch], share)

        return loss

    def _dealt(self, rows: Rows, size: int, rng: np.random.Generator) -> Iterator[Rows]:
        lengths = [len(self.tokens[row]) for row in rows]
        return (rows[batch] for batch in endless_batches(lengths, size, rng))

    def _groups(self) -> list[dict[str, object]]:
        """The head at its own rate, all else that learns at the body's."""
        recipe, head = self.recipe, self.classifier.head
        in_head = {id(parameter) for parameter in head.parameters()}
        others = (each for _, each in _trained(self.classifier) if id(each) not in in_head)
        rate = rate_for(recipe.rate, int(self.classifier.body.config.hidden_size))
        return [
            *parameter_groups(others, rate=rate, decay=recipe.weight_decay),
            *parameter_groups(head.parameters(), rate=recipe.head_rate, decay=recipe.weight_decay),
        ]


def _trained(classifier: TextClassifier) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return (each for each in classifier.named_parameters() if each[1].requires_grad)
