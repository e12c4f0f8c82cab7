"""Self-training: a teacher labels unlabelled texts, a student learns from both kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from tagger.semi_supervised.mixed_training import weighted_loss
from tagger.semi_supervised.pseudo_labels import (
    PseudoLabels,
    aligned,
    certainty,
    chosen_by_certainty,
    draws_of,
    most_likely,
    mutual_information,
)
from tagger.training.fine_tuning import FineTuningRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress
    from tagger.semi_supervised.mixed_training import FurtherLoss, MixedTexts, Rows


@dataclass(frozen=True)
class SelfTrainingRecipe:
    """What self-training does, in numbers.

    :ivar fine_tuning: of teacher and student; a step looks at fewer tokens than elsewhere, for it
        looks at twice as many texts.
    :ivar texts: unlabelled ones that the teacher looks at, at most.
    :ivar chosen: share of them that the student learns from.
    :ivar draws: networks that dropout makes of the teacher.
    :ivar teacher_steps: at least; more where fine-tuning would take more.
    :ivar student_steps: the same of the student.
    :ivar rounds: how often a student becomes the teacher of the next.
    :ivar weight: of the unlabelled loss beside the labelled one.
    :ivar by_uncertainty: False is the plain kind: every text, soft labels of a teacher without
        dropout, calibrated by the labels' shares.
    """

    fine_tuning: FineTuningRecipe = field(
        default_factory=lambda: FineTuningRecipe(taught_tokens=48)
    )
    texts: int = 384
    chosen: float = 0.75
    draws: int = 4
    teacher_steps: int = 40
    student_steps: int = 40
    rounds: int = 1
    weight: float = 1.0
    by_uncertainty: bool = True


def self_train(
    texts: MixedTexts,
    shares: NDArray[np.float32],
    recipe: SelfTrainingRecipe,
    further: Sequence[FurtherLoss] = (),
    *,
    seed: int,
    progress: Progress,
) -> dict[str, list[float]]:
    """Train the classifier of `texts` in place; without unlabelled texts only the teacher.

    Source: Mukherjee and Awadallah 2020, "Uncertainty-aware Self-training for Few-shot Text
    Classification", https://arxiv.org/abs/2006.15315, with one sigmoid a label in place of the
    softmax: each label has pseudo-examples, uncertainty and weights of its own. Their student stops
    by a validation set; a few issues afford none, so steps are counted.

    :param shares: how often each label is given. *Shape:* (n_labels,)
    :param further: losses that teacher and students have beside the labelled one.
    :returns: losses by step, of teacher and students.
    """
    fine_tuning = recipe.fine_tuning
    usual = fine_tuning.steps(texts.labelled_texts.n_issues)
    texts.begin_anew()
    steps = max(usual, recipe.teacher_steps)
    losses = {"teacher": texts.learn("teacher", steps, further, seed=seed, progress=progress)}
    if not len(texts.unlabelled):
        return losses
    for again in range(1, recipe.rounds + 1):
        labels = _pseudo_labels(texts, shares, recipe, np.random.default_rng([seed, again]))
        texts.begin_anew()
        name = f"student {again}"
        losses[name] = texts.learn(
            name,
            max(usual, recipe.student_steps),
            [*further, PseudoLabelLoss(texts, labels, recipe.weight)],
            seed=seed + again,
            progress=progress,
        )
    return losses


def _pseudo_labels(
    texts: MixedTexts,
    shares: NDArray[np.float32],
    recipe: SelfTrainingRecipe,
    rng: np.random.Generator,
) -> PseudoLabels:
    rows = texts.unlabelled
    if not recipe.by_uncertainty:
        targets = aligned(texts.probabilities(rows), shares)
        return PseudoLabels(np.arange(len(rows)), targets, np.ones_like(targets))
    draws = draws_of([texts.probabilities(rows, dropout=True) for _ in range(recipe.draws)])
    labels = most_likely(draws.mean(axis=0), shares)
    size = max(1, round(recipe.chosen * len(rows)))
    chosen = chosen_by_certainty(labels, mutual_information(draws), size, rng)
    return PseudoLabels(chosen, labels[chosen].astype(np.float32), certainty(draws[:, chosen]))


class PseudoLabelLoss:
    """Pseudo-labels of unlabelled texts, each by its weight. See `FurtherLoss`."""

    def __init__(self, texts: MixedTexts, labels: PseudoLabels, weight: float) -> None:
        self.rows = texts.unlabelled[labels.rows]
        self._texts = texts
        size = (len(texts.unlabelled), labels.targets.shape[1])
        self._truth, self._weights = (torch.zeros(size, device=texts.device) for _ in range(2))
        self._truth[labels.rows] = torch.from_numpy(labels.targets).to(texts.device)
        self._weights[labels.rows] = torch.from_numpy(labels.weights * weight).to(texts.device)

    def __call__(self, rows: Rows, share: float) -> torch.Tensor:  # noqa: ARG002 - see the protocol
        at = rows - self._texts.n_labelled
        return weighted_loss(self._texts.logits(rows), self._truth[at], self._weights[at])
