"""Distillation: a student learns a teacher's probabilities, and the labels that people set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from tagger.distillation.pruning import Masks, Pruning, masks
from tagger.domain.strategy import silent
from tagger.statistics.log_odds import log_odds
from tagger.training.budget import FLOPS_PER_SECOND, step_flops
from tagger.training.features import WholeBody, vectors_of
from tagger.training.frozen_prefix import freeze_lower, layer_stack
from tagger.training.optimisation import parameter_groups, rate_for
from tagger.training.tokens import endless_batches
from tagger.training.training_loop import descend, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tagger.domain.strategy import Progress, Scores
    from tagger.training.classifier import TextClassifier
    from tagger.training.tokens import TokenReader

RIDGE = 1e-3
"""Of the head that the student starts from, for each text."""


@dataclass(frozen=True)
class DistillationRecipe:
    """How a student learns, in numbers.

    :ivar alpha: weight of the labels that people set; the teacher's word has the rest.
    :ivar temperature: log odds are divided by it, so that what the teacher holds for unlikely
        still tells something.
    :ivar epochs: how often each text is seen, within the bounds on steps.
    :ivar rate: highest learning rate of the body, see `optimisation.rate_for`.
    :ivar most_steps: bounds time however many texts there are.
    :ivar seconds: bounds time however large the student is, by arithmetic (see `budget`).
    """

    alpha: float = 0.3
    temperature: float = 2.0
    epochs: float = 4.0
    batch_size: int = 16
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    least_steps: int = 24
    most_steps: int = 1500
    seconds: float = 600.0
    pruning: Pruning = field(default_factory=Pruning)

    def steps(self, n_texts: int, *, weights: float, tokens: float) -> int:
        """Steps for so many texts.

        :param weights: that each token is multiplied with.
        :param tokens: that an average text has.
        """
        wanted = round(self.epochs * n_texts / self.batch_size)
        cost = step_flops(weights, tokens * min(n_texts, self.batch_size))
        affordable = int(self.seconds * FLOPS_PER_SECOND / max(cost, 1.0))
        return max(1, min(max(wanted, self.least_steps), self.most_steps, affordable))


@dataclass(frozen=True)
class Texts:
    """What a student learns from.

    :ivar soft: the teacher's probabilities. *Shape:* (n_texts, n_labels)
    :ivar truth: of the texts that people labelled; the others' rows say nothing. Same shape.
    :ivar labelled: which ones they are. *Shape:* (n_texts,)
    """

    texts: Sequence[str]
    soft: Scores
    truth: NDArray[np.bool_]
    labelled: NDArray[np.bool_]


def _steps(student: TextClassifier, lengths: Sequence[int], recipe: DistillationRecipe) -> int:
    learning = sum(each.numel() for each in student.parameters() if each.requires_grad)
    return recipe.steps(len(lengths), weights=learning, tokens=float(np.mean(lengths)))


def _targets(texts: Texts, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The teacher's log odds, the labels, and which texts have any."""
    teacher, truth = (torch.from_numpy(each) for each in (log_odds(texts.soft), texts.truth))
    labelled = torch.from_numpy(texts.labelled).to(device)
    return teacher.to(device, torch.float32), truth.to(device, torch.float32), labelled


def distil(
    student: TextClassifier,
    reader: TokenReader,
    training_texts: Texts,
    recipe: DistillationRecipe,
    *,
    seed: int,
    progress: Progress = silent,
) -> tuple[float, ...]:
    """Train every layer of the student in place; its tables of words and places stay.

    Source: Hinton, Vinyals, Dean 2015, https://arxiv.org/abs/1503.02531; Tunstall, von Werra,
    Wolf, *Natural Language Processing with Transformers* (2022), chapter 8, here with one sigmoid
    a label instead of a softmax.

    :returns: the loss of each step.
    """
    tokens = reader.read(training_texts.texts)
    lengths, device = [len(ids) for ids in tokens], student.head.weight.device
    with seeded(seed, device), masks(layer_stack(student.body), recipe.pruning) as masked:
        freeze_lower(student.body, 0.0)
        whole = WholeBody(student, reader, tokens)
        vectors = vectors_of(student, whole, tokens)
        student.set_head(*head_start(vectors, log_odds(training_texts.soft)))
        teacher, truth, labelled = _targets(training_texts, device)
        groups, steps = _groups(student, masked, recipe), _steps(student, lengths, recipe)
        batches = endless_batches(lengths, recipe.batch_size, np.random.default_rng(seed))

        def loss_at(step: int) -> torch.Tensor:
            progress("distilling", step, steps)
            masked.step(step, steps)
            student.train()
            rows = next(batches)
            logits = student.head(whole(rows))
            return distillation_loss(logits, teacher[rows], truth[rows], labelled[rows], recipe)

        losses = descend(groups, steps, loss_at)
    progress("distilling", steps, steps)
    student.eval()
    return tuple(losses)


def distillation_loss(
    logits: torch.Tensor,
    teacher: torch.Tensor,
    truth: torch.Tensor,
    labelled: torch.Tensor,
    recipe: DistillationRecipe,
) -> torch.Tensor:
    """Distance from the teacher at a temperature, and from the labels where there are any.

    The first is multiplied by the temperature's square, which keeps its gradients' size whatever
    the temperature (Hinton et al. 2015, section 2).

    :param logits: *Shape:* (n_texts, n_labels); so are `teacher`, in log odds, and `truth`.
    :param labelled: *Shape:* (n_texts,)
    """
    heat = recipe.temperature
    soft = heat**2 * cross_entropy(logits / heat, torch.sigmoid(teacher / heat))
    if not bool(labelled.any()):
        return (1 - recipe.alpha) * soft
    hard = cross_entropy(logits[labelled], truth[labelled])
    return (1 - recipe.alpha) * soft + recipe.alpha * labelled.float().mean() * hard


def head_start(
    vectors: NDArray[np.float32], odds: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ridge regression from the student's vectors to the teacher's log odds.

    :param vectors: *Shape:* (n_texts, width)
    :param odds: *Shape:* (n_texts, n_labels)
    :returns: weights of *Shape:* (n_labels, width), bias of *Shape:* (n_labels,).
    """
    middle, level = vectors.mean(axis=0), odds.mean(axis=0)
    centred = (vectors - middle).astype(np.float64)
    square = centred.T @ centred + RIDGE * len(vectors) * np.eye(vectors.shape[1])
    weights = np.linalg.solve(square, centred.T @ (odds - level)).T
    return weights.astype(np.float32), (level - weights @ middle).astype(np.float32)


def _groups(
    student: TextClassifier, masked: Masks, recipe: DistillationRecipe
) -> list[dict[str, object]]:
    scores = {id(each) for each in masked.scores}
    body = [each for each in student.body.parameters() if id(each) not in scores]
    rate = rate_for(recipe.rate, student.head.in_features)
    return [
        *parameter_groups(body, rate=rate, decay=recipe.weight_decay),
        *parameter_groups(
            student.head.parameters(), rate=recipe.head_rate, decay=recipe.weight_decay
        ),
        *masked.groups(),
    ]
