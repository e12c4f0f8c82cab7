"""Pruning: how much goes at which step, what goes, and that nothing of it comes back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import nn

from tagger.distillation.pruning import Pruning, masks


@given(
    sparsity=some.floats(0, 0.99),
    steps=some.integers(1, 500),
)
def test_the_share_only_grows_and_ends_where_asked(sparsity: float, steps: int) -> None:
    pruning = Pruning("magnitude", sparsity)
    shares = [pruning.at(step, steps) for step in range(steps + 1)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(sparsity)


def test_most_goes_early_while_there_is_most_to_spare() -> None:
    pruning = Pruning("movement", 0.8, begin=0.0, end=1.0)
    assert pruning.at(50, 100) == pytest.approx(0.8 * (1 - 0.5**3))


@pytest.mark.parametrize(("kind", "sparsity"), [("random", 0.5), ("magnitude", 1.0)])
def test_what_makes_no_sense_is_refused(kind: str, sparsity: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        Pruning(kind, sparsity)  # type: ignore[arg-type]


def test_without_linear_layers_nothing_can_be_pruned() -> None:
    with (
        pytest.raises(ValueError, match="no linear layers"),
        masks(nn.Tanh(), Pruning("magnitude")),
    ):
        pass


def test_magnitude_drops_the_smallest() -> None:
    layer = nn.Sequential(nn.Linear(4, 1, bias=False))
    layer[0].weight.data = torch.tensor([[0.1, -3.0, 2.0, -0.2]])
    with masks(layer, Pruning("magnitude", 0.5)) as masked:
        masked.step(9, 10)
    assert layer[0].weight.tolist() == [[0.0, -3.0, 2.0, 0.0]]
    assert [name for name, _ in layer.named_parameters()] == ["0.weight"]


def test_movement_drops_what_learning_moves_towards_zero() -> None:
    """The largest weight is the one that the loss wants gone."""
    layer = nn.Sequential(nn.Linear(2, 1, bias=False))
    layer[0].weight.data = torch.tensor([[3.0, 0.5]])
    inputs, wanted = torch.eye(2), torch.tensor([[0.0], [2.0]])
    with masks(layer, Pruning("movement", 0.5)) as masked:
        optimiser = torch.optim.SGD([*masked.weights, *masked.scores], lr=0.1)
        for step in range(10):
            masked.step(step, 10)
            optimiser.zero_grad()
            ((layer(inputs) - wanted) ** 2).mean().backward()
            optimiser.step()
    kept = layer[0].weight[0].tolist()
    assert kept[0] == 0
    assert kept[1] > 0.5
