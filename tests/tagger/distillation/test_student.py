"""What a student begins as, and what it learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from tagger.distillation.distilling import DistillationRecipe, distillation_loss, head_start
from tagger.distillation.student import choose_layers, drop_layers, kept_layers
from tagger.encoders.loading import load
from tagger.errors import NothingToLearnFrom
from tagger.strategies import create

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources


def test_layers_are_kept_evenly_with_the_first_and_the_last() -> None:
    assert list(kept_layers(12, 4)) == [0, 4, 7, 11]
    assert list(kept_layers(6, 6)) == [0, 1, 2, 3, 4, 5]
    assert list(kept_layers(6, 1)) == [0]


def test_a_body_with_fewer_layers_runs_and_says_so(bert_folder: Path) -> None:
    _, body = load(bert_folder, torch.float32, torch.device("cpu"))
    student = drop_layers(body, 1)
    assert student.config.num_hidden_layers == 1
    assert student(input_ids=torch.tensor([[2, 3]])).last_hidden_state.shape == (1, 2, 32)


def test_a_narrow_body_keeps_all_its_layers(bert_folder: Path) -> None:
    assert choose_layers(bert_folder, None) == 2


def test_a_start_that_fits_the_teacher_at_once() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    odds = vectors @ rng.normal(size=(8, 3)) + 2
    weights, bias = head_start(vectors, odds)
    assert np.allclose(vectors @ weights.T + bias, odds, atol=0.05)


def test_the_loss_is_least_where_the_student_says_what_the_teacher_says() -> None:
    teacher = torch.tensor([[2.0, -1.0], [0.5, 3.0]])
    nobody = torch.zeros(2, dtype=torch.bool)
    logits = teacher.clone().requires_grad_(requires_grad=True)
    loss = distillation_loss(
        logits, teacher, torch.zeros(2, 2), nobody, DistillationRecipe(temperature=3)
    )
    loss.backward()
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_alpha_weighs_the_labels_against_the_teacher(alpha: float) -> None:
    teacher, truth = torch.tensor([[4.0]]), torch.tensor([[0.0]])
    logits = torch.zeros(1, 1, requires_grad=True)
    labelled = torch.ones(1, dtype=torch.bool)
    recipe = DistillationRecipe(alpha=alpha, temperature=1.0)
    distillation_loss(logits, teacher, truth, labelled, recipe).backward()
    towards_teacher = 0.5 - torch.sigmoid(torch.tensor(4.0))
    expected = (1 - alpha) * towards_teacher + alpha * 0.5
    assert float(logits.grad[0, 0]) == pytest.approx(float(expected), abs=1e-6)  # type: ignore[index]


def test_without_a_teacher_nothing_can_be_learned(
    resources: Resources, training_set: TrainingSet
) -> None:
    with pytest.raises(NothingToLearnFrom, match="issue-tagger compress"):
        create("distilled", resources).fit(training_set)
