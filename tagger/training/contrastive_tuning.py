"""Contrastive tuning: issues that share labels draw together, and near to the labels' wordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from tagger.domain.strategy import silent
from tagger.training.features import TAUGHT_TOKENS, frozen_features, vectors_of
from tagger.training.optimisation import parameter_groups
from tagger.training.tokens import endless_batches
from tagger.training.training_body import attention_in_steps
from tagger.training.training_loop import descend, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress
    from tagger.training.classifier import TextClassifier
    from tagger.training.features import Features
    from tagger.training.tokens import TokenReader

    Vectors = NDArray[np.float32]

MAX_ANCHORS = 32
"""Labels whose wordings are shown at a step: those of the batch first, then others at random."""

BANNED = -1e4
"""Logit of an issue's similarity to itself: a pair that teaches nothing."""


@dataclass(frozen=True)
class ContrastiveRecipe:
    """What contrastive tuning does, in numbers.

    :ivar batch_size: issues a step; each is compared with every other one and every label.
    :ivar pairs: budget of pairs of issues over the whole tuning: it bounds time, and the batch
        size bounds memory, however many issues are labelled.
    :ivar epochs: how often each issue is seen, within that budget.
    :ivar least_steps: taken even for a handful of issues.
    :ivar rate: highest learning rate.
    :ivar weight_decay: AdamW's, of matrices only.
    :ivar frozen: share of the layers, from below, that stay as they are.
    :ivar temperature: by which likenesses are divided: small ones look at near pairs only.
    :ivar taught_tokens: of an issue that a step looks at; the vectors afterwards are of all.
    """

    batch_size: int = 16
    pairs: int = 40_000
    epochs: float = 3.0
    least_steps: int = 30
    rate: float = 1e-4
    weight_decay: float = 0.01
    frozen: float = 0.5
    temperature: float = 0.1
    taught_tokens: int = TAUGHT_TOKENS

    def steps(self, n_issues: int) -> int:
        """Steps for so many issues."""
        most = max(1, self.pairs // self.batch_size**2)
        wanted = round(self.epochs * n_issues / self.batch_size)
        return min(max(wanted, self.least_steps), most)


THOROUGH = ContrastiveRecipe(pairs=4_000_000, epochs=20.0, rate=5e-5, frozen=0.0, taught_tokens=128)
"""All layers, whole texts, seven times as often: ten times the time. Of four recipes the best on
three repositories of NLBSE'24 with 300 issues each: .820 of macro F1, `ContrastiveRecipe()` .803
(one seed; docs/benchmarks.md)."""


@dataclass(frozen=True)
class TunedHeads:
    """What tuning leaves beside the body itself.

    :ivar issues: *Shape:* (n_issues, width), unit vectors of the tuned body.
    :ivar anchors: *Shape:* (n_labels, width), unit vectors of the labels' wordings.
    :ivar losses: of each step.
    """

    issues: Vectors
    anchors: Vectors
    losses: tuple[float, ...]


@dataclass(frozen=True)
class ContrastiveTexts:
    """What is learned from.

    :ivar issues: (n_issues,)
    :ivar targets: *Shape:* (n_issues, n_labels)
    :ivar verbalizers: each label's wordings, at least one.
    """

    issues: Sequence[str]
    targets: NDArray[np.bool_]
    verbalizers: Sequence[Sequence[str]]


def tune(
    classifier: TextClassifier,
    reader: TokenReader,
    texts: ContrastiveTexts,
    *,
    recipe: ContrastiveRecipe,
    seed: int,
    progress: Progress = silent,
) -> TunedHeads:
    """Tune the body's upper layers in place; the head is not touched.

    The same seed on the same processor gives the same weights.
    """
    n_issues, of_labels = len(texts.issues), texts.verbalizers
    tokens = reader.read([*texts.issues, *(each for of_label in of_labels for each in of_label)])
    owner = np.repeat(np.arange(len(of_labels)), [len(of_label) for of_label in of_labels])
    anchors = Anchors(n_issues, owner, np.random.default_rng(seed + 1))
    with seeded(seed, classifier.head.weight.device):
        features = frozen_features(classifier, reader, tokens, recipe.frozen)
        lengths = [min(len(ids), recipe.taught_tokens) for ids in tokens[:n_issues]]
        training_texts = _LabelledTexts(classifier, features, lengths, texts.targets, anchors)
        losses = training_texts.learn(recipe, seed, progress)
        vectors = vectors_of(classifier, features, tokens)
    return TunedHeads(vectors[:n_issues], anchors.mean(vectors), tuple(losses))


class Anchors:
    """Rows of the wordings: one drawn for each label at a step, all of them at the end."""

    def __init__(self, start: int, owner: NDArray[np.int_], rng: np.random.Generator) -> None:
        self._rows = [start + np.flatnonzero(owner == label) for label in range(owner.max() + 1)]
        self._rng = rng

    def draw(self, present: NDArray[np.bool_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Some labels and the row of one wording of each. *Shape of both:* (n_shown,)

        :param present: which labels the batch has. *Shape:* (n_labels,)
        """
        shuffled = self._rng.permutation(len(self._rows))
        labels = np.sort(shuffled[np.argsort(~present[shuffled], kind="stable")][:MAX_ANCHORS])
        return labels, np.array([self._rng.choice(self._rows[label]) for label in labels])

    def mean(self, vectors: Vectors) -> Vectors:
        """Unit vectors. *Shape:* (n_labels, width)"""
        means = np.stack([vectors[rows].mean(axis=0) for rows in self._rows])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)


@dataclass
class _LabelledTexts:
    """Issues with their labels and the labels' wordings, ready to be learned."""

    classifier: TextClassifier
    features: Features
    lengths: Sequence[int]
    targets: NDArray[np.bool_]
    anchors: Anchors

    def learn(self, recipe: ContrastiveRecipe, seed: int, progress: Progress) -> list[float]:
        steps = recipe.steps(len(self.lengths))
        truth = torch.from_numpy(self.targets).to(self.classifier.head.weight.device).float()
        size = min(recipe.batch_size, len(self.lengths))
        batches = endless_batches(self.lengths, size, np.random.default_rng(seed))

        def loss_at(step: int) -> torch.Tensor:
            progress("contrastive tuning", step, steps)
            self.classifier.train()
            batch = next(batches)
            shown, rows = self.anchors.draw(np.asarray(self.targets[batch].any(axis=0)))
            issues, wordings = (
                self.features(rows_of, recipe.taught_tokens) for rows_of in (batch, rows)
            )
            loss = issue_loss(issues, truth[batch], recipe.temperature)
            own_labels = truth[batch][:, shown]
            return loss + anchor_loss(issues, wordings, own_labels, recipe.temperature)

        body = self.classifier.body.parameters()
        groups = parameter_groups(body, rate=recipe.rate, decay=recipe.weight_decay)
        with attention_in_steps(self.classifier.body):
            losses = descend(groups, steps, loss_at)
        progress("contrastive tuning", steps, steps)
        return losses


def issue_loss(vectors: torch.Tensor, targets: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cross-entropy between similarity within the batch and the share of labels in common.

    Supervised contrastive learning (Khosla et al. 2020, https://arxiv.org/abs/2004.11362) with
    the Jaccard share of common labels in place of equal classes, so that two issues with one of
    three labels in common attract each other a third as much as two with the same ones.

    :param vectors: *Shape:* (n_issues, width), unit length.
    :param targets: *Shape:* (n_issues, n_labels), 0 or 1.
    :returns: a scalar; 0 where no two issues share a label.
    """
    shared = targets @ targets.T
    either = targets.sum(1)[:, None] + targets.sum(1)[None, :] - shared
    alone = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    attraction = (shared / either.clamp(min=1)).masked_fill(alone, 0)
    similarity = (vectors @ vectors.T / temperature).masked_fill(alone, BANNED)
    return _soft_cross_entropy(similarity, attraction)


def anchor_loss(
    vectors: torch.Tensor, anchors: torch.Tensor, targets: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Cross-entropy between similarity to the labels' wordings and the labels, evenly weighted.

    :param vectors: *Shape:* (n_issues, width), unit length.
    :param anchors: *Shape:* (n_labels, width), unit length.
    :param targets: *Shape:* (n_issues, n_labels), 0 or 1.
    :returns: a scalar; 0 where no issue has a label.
    """
    return _soft_cross_entropy(vectors @ anchors.T / temperature, targets)


def _soft_cross_entropy(logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean over the rows that have a weight at all; rows of `weights` are made to sum to 1."""
    total = weights.sum(dim=1)
    each = -(weights * logits.log_softmax(dim=1)).sum(dim=1) / total.clamp(min=1e-6)
    held = (total > 0).float()
    return (each * held).sum() / held.sum().clamp(min=1)
