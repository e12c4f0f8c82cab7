"""The student's body before it learns: a few layers of a transformer that knows the language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from tagger.encoders.loading import load
from tagger.errors import NotATeacher
from tagger.training.frozen_prefix import layer_stack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AFFORDABLE = 22e6
"""Weights in a student's layers, at most: a fourth of BERT-base's 85 million."""


def choose_layers(folder: Path, wanted: int | None) -> int:
    """How many of a transformer's layers a student keeps: those wanted, or all that are cheap.

    :raises NotATeacher: it keeps no list of layers, or has not as many.
    """
    _, body = load(folder, torch.float32, torch.device("cpu"))
    stack = layer_stack(body)
    if stack is None:
        raise NotATeacher(
            f"{type(body).__name__} in {folder} keeps no list of layers, and no student can be "
            "made of it; choose another teacher"
        )
    if wanted is None:
        weights = sum(parameter.numel() for parameter in stack[0].parameters())
        return max(1, min(len(stack), int(AFFORDABLE / weights)))
    if not 1 <= wanted <= len(stack):
        raise NotATeacher(f"a student of {wanted} layers was asked for, expected 1 to {len(stack)}")
    return wanted


def drop_layers(body: Any, layers: int) -> Any:
    """Keep `layers` of the body's layers, evenly spread, the first and the last among them.

    Source: Sanh et al. 2019, DistilBERT (https://arxiv.org/abs/1910.01108), section 3: a student
    that begins with every other layer of its teacher learns far faster than one from nothing.

    :param layers: as `choose_layers` gave it.
    """
    stack = layer_stack(body)
    depth = 0 if stack is None else len(stack)
    if stack is None or layers == depth:
        return body
    layer_numbers = kept_layers(depth, layers)
    _replace(body, stack, nn.ModuleList(stack[place] for place in layer_numbers))
    for field in ("num_hidden_layers", "n_layers", "n_layer"):
        if field in body.config.to_dict():
            setattr(body.config, field, layers)
    kinds = getattr(body.config, "layer_types", None)  # one entry a layer, where there is one
    if kinds is not None:
        body.config.layer_types = [kinds[place] for place in layer_numbers]
    return body


def kept_layers(depth: int, layers: int) -> Sequence[int]:
    """Places of the layers that stay."""
    return [round(place) for place in np.linspace(0, depth - 1, layers)] if layers > 1 else [0]


def _replace(body: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for module in body.modules():
        for name, child in module.named_children():
            if child is old:
                setattr(module, name, new)
                return
