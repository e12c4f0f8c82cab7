"""Frozen lower layers: run once for every text, so that training pays for the upper ones only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def layer_stack(body: Any) -> nn.ModuleList | None:
    """The list of the transformer's layers, None in an architecture that keeps none."""
    depth = int(body.config.num_hidden_layers)
    lists = (module for module in body.modules() if isinstance(module, nn.ModuleList))
    return next((module_list for module_list in lists if len(module_list) == depth), None)


def freeze_lower(body: Any, share: float) -> int:
    """Freeze the embeddings and the lower `share` of the layers; 0 where there is no stack.

    The lower layers know the language, the upper ones the task; with few examples the lower ones
    have nothing to gain. Source: Lee, Tang, Lin 2019, "What Would Elsa Do? Freezing Layers during
    Transformer Fine-Tuning", https://arxiv.org/abs/1911.03090

    :returns: how many layers are frozen, always fewer than there are.
    """
    stack = layer_stack(body)
    if stack is None:
        return 0
    frozen = min(round(share * len(stack)), len(stack) - 1)
    body.requires_grad_(requires_grad=False)
    for layer in list(stack)[frozen:]:
        layer.requires_grad_(requires_grad=True)
    return frozen


class _Identity(nn.Module):
    """Stands where a frozen layer was and changes nothing."""

    def forward(self, states: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        return states


class Door(nn.Module):
    """The first trained layer, entered with states computed earlier."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.states: torch.Tensor | None = None

    def forward(self, states: torch.Tensor, *arguments: Any, **named: Any) -> Any:
        entering = states if self.states is None else self.states
        return self.layer(entering, *arguments, **named)


@contextmanager
def without_lower(stack: nn.ModuleList, frozen: int) -> Iterator[Door]:
    """Take the lowest `frozen` layers out of the way; put everything back at the end.

    The body itself still makes its masks and position tables and runs what follows the layers, so
    this holds for every architecture whose layers pass one tensor on (see `passes_tensors`).
    """
    before = list(stack)
    door = Door(before[frozen])
    for position in range(frozen):
        stack[position] = _Identity()
    stack[frozen] = door
    try:
        yield door
    finally:
        for position, layer in enumerate(before):
            stack[position] = layer


class _PrefixDone(Exception):
    """No error: ends a forward pass, with the states that a layer was about to be given."""

    def __init__(self, states: torch.Tensor) -> None:
        super().__init__()
        self.states = states


def states_entering(layer: nn.Module, run: Callable[[], object]) -> torch.Tensor:
    """States that enter a layer when `run` runs its network; what comes after is not computed.

    :raises ValueError: the layer was not reached.
    """

    def halt(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        raise _PrefixDone(arguments[0].detach())

    handle = layer.register_forward_pre_hook(halt)
    try:
        run()
    except _PrefixDone as entered:
        return entered.states
    finally:
        handle.remove()
    raise ValueError("the layer was not reached, expected a run of the network that it belongs to")


def passes_tensors(body: Any, stack: nn.ModuleList) -> bool:
    """Whether a layer returns the bare states; MPNet's and DeBERTa's return tuples."""
    returned: list[object] = []

    def note(_: nn.Module, __: tuple[Any, ...], output: object) -> None:
        returned.append(output)

    handle = stack[0].register_forward_hook(note)
    try:
        with torch.inference_mode():
            token = torch.zeros((1, 1), dtype=torch.long, device=body.device)
            body(input_ids=token, attention_mask=torch.ones_like(token))
    finally:
        handle.remove()
    return isinstance(returned[0], torch.Tensor)


def stacked(states: Sequence[torch.Tensor], width: int, device: torch.device) -> torch.Tensor:
    """Pad states of several texts with zeros. *Shape:* (n_texts, `width`, hidden), float32."""
    filled = torch.zeros((len(states), width, states[0].shape[1]), device=device)
    for row, each in enumerate(states):
        filled[row, : len(each)] = each
    return filled
