"""The one training loop: steps down any loss, with warm-up, clipping and a seed of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from tagger.runtimes.devices import has_fast_bfloat16
from tagger.training.optimisation import rate_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tagger.training.optimisation import Schedule

CLIP = 1.0
"""Gradients are scaled down to this norm (Pascanu et al. 2013; BERT's own value)."""


def descend(
    groups: list[dict[str, Any]],
    steps: int,
    loss_at: Callable[[int], torch.Tensor],
    *,
    finished: Callable[[int], bool] = lambda _: False,
    schedule: Schedule = "linear",
) -> list[float]:
    """Take up to `steps` steps of AdamW.

    :param groups: as `optimisation.parameter_groups` makes them; the rates are the highest ones.
    :param loss_at: computes a step's loss, a scalar with a gradient; steps count from 0.
    :param schedule: how the rates go on after the warm-up.
    :param finished: asked after each step with the number of steps done; True ends the descent.
    :returns: the loss of each step taken.
    """
    optimizer = torch.optim.AdamW(groups, fused=True)
    highest = [float(group["lr"]) for group in optimizer.param_groups]
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    losses: list[float] = []
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, highest, strict=True):
            group["lr"] = rate * rate_factor(step, steps, schedule)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_at(step)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        losses.append(float(loss.detach()))
        if finished(step + 1):
            break
    return losses


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch (dropout, masks) for a block and put every generator back afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def fast_precision(device: torch.device) -> Iterator[None]:
    """Multiply in bfloat16 where the processor does so natively; weights stay in float32.

    Source: Micikevicius et al. 2018, "Mixed Precision Training"; Kalamkar et al. 2019 for
    bfloat16, which needs no loss scaling.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device)):
        yield
