"""Fine-tuning for one repository's labels: how long, from which head, and where to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from tagger.domain.strategy import silent
from tagger.statistics.stratification import stratified_sample
from tagger.training.budget import FLOPS_PER_SECOND, step_flops
from tagger.training.early_stopping import EarlyStopping
from tagger.training.features import TAUGHT_TOKENS, frozen_features, vectors_of
from tagger.training.initial_head import logistic_head
from tagger.training.losses import positive_weights, weighted_cross_entropy
from tagger.training.optimisation import parameter_groups, rate_for
from tagger.training.tokens import endless_batches
from tagger.training.training_body import attention_in_steps
from tagger.training.training_loop import descend, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress
    from tagger.training.classifier import TextClassifier
    from tagger.training.features import Features
    from tagger.training.optimisation import Schedule
    from tagger.training.tokens import TokenReader

    Rows = NDArray[np.int_]


@dataclass(frozen=True)
class FineTuningRecipe:
    """What fine-tuning does, in numbers.

    :ivar batch_size: texts a step.
    :ivar rate: highest learning rate of the body, see `optimisation.rate_for`.
    :ivar head_rate: highest learning rate of the head.
    :ivar weight_decay: AdamW's, of matrices only.
    :ivar frozen: share of the layers, from below, that stay as they are.
    :ivar epochs: how often each text is seen, within the bounds on steps.
    :ivar least_steps: taken even for a handful of texts.
    :ivar most_steps: bounds time however many texts there are.
    :ivar seconds: bounds time however large the body is, by arithmetic (see `budget`).
    :ivar hold_out_from: labelled issues from which some are held out to stop early.
    :ivar hold_out: share of the labelled issues that is held out.
    :ivar checks: looks at the held-out issues, evenly spread over the steps.
    :ivar patience: looks in a row that are worse than the best before it stops.
    :ivar taught_tokens: of a text that a step looks at; issues held out are read whole.
    :ivar schedule: how the rates go on after the warm-up.
    """

    batch_size: int = 16
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    frozen: float = 0.5
    epochs: float = 3.0
    least_steps: int = 12
    most_steps: int = 250
    seconds: float = 240.0
    hold_out_from: int = 200
    hold_out: float = 0.15
    checks: int = 4
    patience: int = 2
    taught_tokens: int = TAUGHT_TOKENS
    schedule: Schedule = "linear"

    def steps(self, n_texts: int, *, weights: float = 0.0, tokens: float = 0.0) -> int:
        """Steps for so many texts.

        :param weights: that each token is multiplied with and that learn.
        :param tokens: that an average text has.
        """
        wanted = round(self.epochs * n_texts / self.batch_size)
        cost = step_flops(weights, tokens * min(n_texts, self.batch_size))
        affordable = int(self.seconds * FLOPS_PER_SECOND / max(cost, 1.0))
        bounded = min(max(wanted, self.least_steps), self.most_steps)
        return max(1, min(bounded, affordable))


BOOK = FineTuningRecipe(
    frozen=0.0, epochs=20.0, rate=3e-5, most_steps=100_000, seconds=3600.0, taught_tokens=512
)
"""As chapter 9 fine-tunes: every layer, twenty epochs, the whole of a text; the rate is that for a
body of BERT's width."""


@dataclass(frozen=True)
class TrainingCourse:
    """How a training went.

    :ivar losses: of each step.
    :ivar held_out: steps done → F1 on the held-out issues; empty where none were held out.
    """

    losses: tuple[float, ...]
    held_out: dict[int, float] = field(default_factory=dict)


def fine_tune(
    classifier: TextClassifier,
    reader: TokenReader,
    texts: Sequence[str],
    targets: NDArray[np.bool_],
    recipe: FineTuningRecipe,
    *,
    seed: int,
    progress: Progress = silent,
) -> TrainingCourse:
    """Train head and upper layers in place; the best weights seen are the ones it is left with.

    The same seed on the same processor gives the same weights. With at least
    `recipe.hold_out_from` texts the best weights are told by F1 on held-out texts (see
    `early_stopping`); with fewer, holding out would cost more than it tells, and the last stay.

    :param texts: (n_texts,)
    :param targets: *Shape:* (n_texts, n_labels)
    """
    tokens = reader.read(texts)
    held_out = _held_out(targets, recipe, seed)
    taught = np.setdiff1d(np.arange(len(texts)), held_out)
    with seeded(seed, classifier.head.weight.device):
        features = frozen_features(classifier, reader, tokens, recipe.frozen)
        vectors = vectors_of(classifier, features, tokens)
        classifier.set_head(*logistic_head(vectors[taught], targets[taught]))
        training_texts = _TrainingTexts(classifier, features, targets, [len(ids) for ids in tokens])
        watch = EarlyStopping(
            classifier, lambda: training_texts.logits(held_out), targets[held_out], recipe.patience
        )
        losses = training_texts.learn(taught, recipe, seed, watch, progress)
        watch.keep_best()
    classifier.eval()
    return TrainingCourse(tuple(losses), watch.f1)


def _held_out(targets: NDArray[np.bool_], recipe: FineTuningRecipe, seed: int) -> Rows:
    if len(targets) < recipe.hold_out_from:
        return np.arange(0)
    return stratified_sample(targets, round(recipe.hold_out * len(targets)), seed)


@dataclass
class _TrainingTexts:
    """Texts with their targets, ready to be learned or asked."""

    classifier: TextClassifier
    features: Features
    targets: NDArray[np.bool_]
    lengths: list[int]

    def learn(
        self,
        rows: Rows,
        recipe: FineTuningRecipe,
        seed: int,
        watch: EarlyStopping,
        progress: Progress,
    ) -> list[float]:
        lengths = [min(self.lengths[row], recipe.taught_tokens) for row in rows]
        steps = recipe.steps(len(rows), weights=self._weights(), tokens=float(np.mean(lengths)))
        device = self.classifier.head.weight.device
        weights = torch.from_numpy(positive_weights(self.targets[rows])).to(device)
        truth = torch.from_numpy(self.targets).to(device, torch.float32)
        batches = endless_batches(lengths, recipe.batch_size, np.random.default_rng(seed))

        def loss_at(step: int) -> torch.Tensor:
            progress("fine-tuning", step, steps)
            self.classifier.train()
            batch = rows[next(batches)]
            logits = self.classifier.head(self.features(batch, recipe.taught_tokens))
            return weighted_cross_entropy(logits, truth[batch], weights)

        finished = watch.every(max(1, steps // recipe.checks), steps)
        with attention_in_steps(self.classifier.body):
            losses = descend(
                self._groups(recipe), steps, loss_at, finished=finished, schedule=recipe.schedule
            )
        progress("fine-tuning", steps, steps)
        return losses

    def _weights(self) -> float:
        parameters = self.classifier.body.parameters()
        return float(sum(each.numel() for each in parameters if each.requires_grad))

    def _groups(self, recipe: FineTuningRecipe) -> list[dict[str, object]]:
        decay = recipe.weight_decay
        rate = rate_for(recipe.rate, self.classifier.head.in_features)
        body = parameter_groups(self.classifier.body.parameters(), rate=rate, decay=decay)
        head = parameter_groups(
            self.classifier.head.parameters(), rate=recipe.head_rate, decay=decay
        )
        return body + head

    def logits(self, rows: Rows) -> NDArray[np.float32]:
        """*Shape:* (n_rows, n_labels), without dropout."""
        self.classifier.eval()
        by_length = np.argsort([self.lengths[row] for row in rows], kind="stable")
        zeros = np.zeros((len(rows), self.targets.shape[1]), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, len(rows), 32):
                some = by_length[start : start + 32]
                zeros[some] = self.classifier.head(self.features(rows[some])).cpu().numpy()
        return zeros
