"""Consistency: an unlabelled text and its twin in other words are to get the same labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import TYPE_CHECKING, Literal

import torch

from tagger.semi_supervised.mixed_training import weighted_loss
from tagger.semi_supervised.pseudo_labels import shifts_to
from tagger.training.fine_tuning import FineTuningRecipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress
    from tagger.semi_supervised.mixed_training import MixedTexts, Rows

Schedule = Literal["linear", "logarithmic", "exponential"]

SCALE = 5.0
"""How steep the schedules are that are not linear; the paper's own."""


@dataclass(frozen=True)
class ConsistencyRecipe:
    """What consistency training does, in numbers.

    :ivar texts: unlabelled ones that get a twin, at most.
    :ivar first_steps: on labelled texts alone, at least; more where fine-tuning would take more.
    :ivar steps: on both.
    :ivar looks: how often the shares of what the network says are looked at anew.
    :ivar temperature: below 1 sharpens the targets.
    :ivar confidence: from here a target counts, and as much below 1 - confidence.
    :ivar weight: of the unlabelled loss beside the labelled one.
    :ivar annealing: how fast labelled targets that are already right come to count again.
    """

    fine_tuning: FineTuningRecipe = field(
        default_factory=lambda: FineTuningRecipe(taught_tokens=48)
    )
    texts: int = 256
    first_steps: int = 40
    steps: int = 24
    looks: int = 4
    temperature: float = 0.5
    confidence: float = 0.8
    weight: float = 1.0
    annealing: Schedule = "linear"


def train_consistently(
    texts: MixedTexts,
    shares: NDArray[np.float32],
    recipe: ConsistencyRecipe,
    *,
    seed: int,
    progress: Progress,
) -> dict[str, list[float]]:
    """Train the classifier of `texts` in place; without unlabelled texts on the labelled alone.

    Source: Xie et al. 2020, "Unsupervised Data Augmentation for Consistency Training",
    https://arxiv.org/abs/1904.12848, with one sigmoid a label in place of the softmax: targets are
    sharpened, masked and annealed label by label. A sigmoid network of a few issues hardly ever
    says yes, so its log odds are first shifted to the labels' shares (see `pseudo_labels.aligned`).

    :param texts: whose unlabelled ones are originals, then as many twins in the same order.
    :param shares: how often each label is given. *Shape:* (n_labels,)
    :returns: losses by step.
    """
    usual = recipe.fine_tuning.steps(texts.labelled_texts.n_issues)
    texts.begin_anew()
    first = max(usual, recipe.first_steps)
    losses = {"labelled": texts.learn("labelled issues", first, seed=seed, progress=progress)}
    if len(texts.unlabelled):
        losses["consistency"] = texts.learn(
            "consistency",
            recipe.steps,
            [ConsistencyLoss(texts, shares, recipe)],
            AnnealedLoss(recipe.annealing),
            seed=seed + 1,
            progress=progress,
        )
    return losses


class ConsistencyLoss:
    """How far twins are from what is said of their originals. See `FurtherLoss`."""

    def __init__(
        self, texts: MixedTexts, shares: NDArray[np.float32], recipe: ConsistencyRecipe
    ) -> None:
        self.rows = texts.unlabelled[: len(texts.unlabelled) // 2]
        self._texts = texts
        self._shares = shares
        self._recipe = recipe
        self._looked = -1
        self._shifts = torch.zeros(len(shares), device=texts.device)

    def __call__(self, rows: Rows, share: float) -> torch.Tensor:
        self._look(share)
        with torch.no_grad():
            odds = self._texts.logits(rows) + self._shifts
            targets = torch.sigmoid(odds / self._recipe.temperature)
            sure = (torch.sigmoid(odds) - 0.5).abs() >= self._recipe.confidence - 0.5
        twins = self._texts.logits(rows + len(self.rows)) + self._shifts
        return weighted_loss(twins, targets, sure * self._recipe.weight)

    def _look(self, share: float) -> None:
        """Find the shifts anew at the beginning of each part of the training."""
        part = int(share * self._recipe.looks)
        if part == self._looked:
            return
        self._looked = part
        probabilities = self._texts.probabilities(self.rows)
        self._texts.classifier.train()
        shifts = shifts_to(probabilities, self._shares)
        self._shifts = torch.from_numpy(shifts).to(self._texts.device)


class AnnealedLoss:
    """Training signal annealing: what is already right counts only later on.

    A few labelled texts are learned by heart long before the unlabelled ones have said anything.
    Source: Xie et al. 2020, section 3.1; here for each label of each text.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def __call__(
        self, logits: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor, share: float
    ) -> torch.Tensor:
        """See `SupervisedLoss`."""
        right = torch.sigmoid(torch.where(truth > 0.5, logits, -logits)).detach()
        counted = right <= threshold_at(share, self._schedule)
        return weighted_loss(logits, truth, weights * counted)


def threshold_at(share: float, schedule: Schedule) -> float:
    """From which probability of the truth a target counts no more, from 0.5 to 1.

    :param share: of the steps that are done, in [0, 1].
    """
    grown = {
        "linear": share,
        "logarithmic": 1 - exp(-share * SCALE),
        "exponential": exp((share - 1) * SCALE),
    }[schedule]
    return 0.5 + 0.5 * grown
