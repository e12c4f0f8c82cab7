"""Pruning while a student learns: which weights go, and how fast."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from torch import nn
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["none", "magnitude", "movement"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MASKS_EVERY = 10
"""Steps between two choices of what goes: sorting every matrix costs as much as a step does."""

SCORE_RATE = 1e-2
"""Learning rate of movement pruning's scores (Sanh et al. 2020, table 6)."""


@dataclass(frozen=True)
class Pruning:
    """Which weights of the layers' matrices become zero.

    Magnitude drops the smallest (Han et al. 2015, https://arxiv.org/abs/1506.02626); movement
    those that learning moves towards zero (Sanh, Wolf, Rush 2020,
    https://arxiv.org/abs/2005.07683), which is the better choice from some 70 % on.

    :ivar sparsity: share of each matrix that is zero at the end, in [0, 1).
    :ivar begin: share of the steps before the first weight goes.
    :ivar end: share of the steps after which no more go.
    """

    kind: Kind = "none"
    sparsity: float = 0.5
    begin: float = 0.1
    end: float = 0.7

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"pruning is {self.kind!r}, expected one of {', '.join(KINDS)}")
        if not 0 <= self.sparsity < 1:
            raise ValueError(f"sparsity is {self.sparsity}, expected at least 0 and below 1")

    def at(self, step: int, steps: int) -> float:
        """Share that is zero at a step: fast at first, while there is most to spare.

        Source: Zhu and Gupta 2017, "To prune, or not to prune", equation 1,
        https://arxiv.org/abs/1710.01878

        :param step: counted from 0, of `steps`.
        """
        if self.kind == "none":
            return 0.0
        done = (step / max(1, steps) - self.begin) / (self.end - self.begin)
        return self.sparsity * (1 - (1 - min(max(done, 0.0), 1.0)) ** 3)


class Masks:
    """The masks on a body's matrices while it learns."""

    def __init__(
        self, pruning: Pruning, masked: list[_Masked], weights: list[nn.Parameter]
    ) -> None:
        self._pruning = pruning
        self._masked = masked
        self.weights = weights
        self._thinned = 0.0

    @property
    def scores(self) -> list[nn.Parameter]:
        """What movement pruning learns beside the weights."""
        return [each.scores for each in self._masked if each.scores is not None]

    def groups(self) -> list[dict[str, Any]]:
        """Groups of the optimiser for the scores; none where there are none."""
        return [{"params": self.scores, "lr": SCORE_RATE, "weight_decay": 0.0}] * bool(self.scores)

    def step(self, step: int, steps: int) -> None:
        """Choose anew what goes, where the schedule has moved on."""
        share = self._pruning.at(step, steps)
        last = step == steps - 1
        if self._masked and (last or (share > self._thinned and step % MASKS_EVERY == 0)):
            self._thinned = share
            for each, weight in zip(self._masked, self.weights, strict=True):
                each.choose(weight, share)


@contextmanager
def masks(layers: nn.Module | None, pruning: Pruning) -> Iterator[Masks]:
    """Mask the matrices of a transformer's layers for a block; then the zeros are in the weights.

    :param layers: see `lower_layers.layer_stack`.
    :raises ValueError: pruning is asked for and there is no linear layer.
    """
    modules = [] if layers is None else layers.modules()
    linear = [each for each in modules if isinstance(each, nn.Linear)]
    if pruning.kind == "none":
        yield Masks(pruning, [], [])
        return
    if not linear:
        raise ValueError("the student has no linear layers to prune; choose --pruning none")
    masked = [_Masked(each.weight, learned=pruning.kind == "movement") for each in linear]
    for each, mask in zip(linear, masked, strict=True):
        parametrize.register_parametrization(each, "weight", mask)
    originals = [each.parametrizations.weight.original for each in linear]  # type: ignore[union-attr]
    try:
        yield Masks(pruning, masked, originals)  # type: ignore[arg-type]
    finally:
        for each in linear:
            parametrize.remove_parametrizations(each, "weight", leave_parametrized=True)


class _Masked(nn.Module):
    """A matrix times its mask."""

    def __init__(self, weight: torch.Tensor, *, learned: bool) -> None:
        super().__init__()
        self.mask: torch.Tensor
        self.register_buffer("mask", torch.ones_like(weight))
        self.scores = nn.Parameter(torch.zeros_like(weight)) if learned else None

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        if self.scores is None:
            return weight * self.mask
        passed: torch.Tensor = _StraightThrough.apply(  # type: ignore[no-untyped-call]
            self.scores, self.mask
        )
        return weight * passed

    @torch.no_grad()
    def choose(self, weight: torch.Tensor, share: float) -> None:
        """Let `share` of the matrix go."""
        worth = weight.abs() if self.scores is None else self.scores
        least = torch.argsort(worth.flatten(), stable=True)[: round(share * worth.numel())]
        self.mask.fill_(1.0).view(-1)[least] = 0.0


class _StraightThrough(torch.autograd.Function):
    """The mask forwards, the scores backwards (Bengio et al. 2013)."""

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        return mask.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ARG004
        return gradients[0], None
