"""From rows of a training set to pooled vectors, by the whole body or by its upper layers only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from tagger.runtimes.batching import plan
from tagger.runtimes.devices import has_fast_bfloat16
from tagger.training.frozen_prefix import (
    freeze_lower,
    layer_stack,
    passes_tensors,
    stacked,
    states_entering,
    without_lower,
)
from tagger.training.training_loop import fast_precision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from tagger.training.classifier import TextClassifier
    from tagger.training.tokens import TokenReader

    Rows = NDArray[np.int_]

STATES_LIMIT = 768 * 2**20
"""Bytes that kept states may take; a larger set runs through the whole body each time."""

TOKENS_PER_BATCH = 4096

TAUGHT_TOKENS = 64
"""Tokens of a text, from its beginning, that a step of training looks at: half the time of 128.
The title and what follows it carry most of what tells the labels apart, and what the layers learn
there serves the longer texts that are scored."""


class Features(Protocol):
    """Vectors of some texts, with a gradient for what is trained."""

    def __call__(self, rows: Rows, most_tokens: int | None = None) -> torch.Tensor:
        """*Shape:* (n_rows, width), float32.

        :param most_tokens: of each text, from its beginning, that are looked at; None: all.
        """
        ...


class WholeBody:
    """Runs every layer each time."""

    def __init__(
        self, classifier: TextClassifier, reader: TokenReader, tokens: Sequence[list[int]]
    ) -> None:
        self._classifier = classifier
        self._reader = reader
        self._tokens = tokens

    def __call__(self, rows: Rows, most_tokens: int | None = None) -> torch.Tensor:
        device = self._classifier.head.weight.device
        ids, mask = self._reader.collate([self._tokens[row][:most_tokens] for row in rows], device)
        with fast_precision(device):
            return self._classifier.vectors(ids, mask)


class UpperLayers:
    """Runs the trained layers on states that the frozen ones gave once."""

    def __init__(
        self,
        classifier: TextClassifier,
        reader: TokenReader,
        tokens: Sequence[list[int]],
        frozen: int,
        states: Sequence[torch.Tensor],
    ) -> None:
        self._classifier = classifier
        self._reader = reader
        self._tokens = tokens
        self._frozen = frozen
        self._states = states

    def __call__(self, rows: Rows, most_tokens: int | None = None) -> torch.Tensor:
        device = self._classifier.head.weight.device
        ids, mask = self._reader.collate([self._tokens[row][:most_tokens] for row in rows], device)
        states = [self._states[row][:most_tokens] for row in rows]
        stack = _stack(self._classifier)
        with fast_precision(device), without_lower(stack, self._frozen) as door:
            door.states = stacked(states, ids.shape[1], device)
            return self._classifier.vectors(ids, mask)


def frozen_features(
    classifier: TextClassifier,
    reader: TokenReader,
    tokens: Sequence[list[int]],
    share: float,
) -> Features:
    """Freeze the lower layers, and run every text through them once where they can be kept apart.

    :param share: of the layers, see `lower_layers.freeze_lower`.
    """
    frozen = freeze_lower(classifier.body, share)
    whole = WholeBody(classifier, reader, tokens)
    if not frozen or not _states_fit(classifier, tokens):
        return whole
    stack = _stack(classifier)
    if not passes_tensors(classifier.body, stack):
        return whole
    states = _states(classifier, whole, tokens, stack[frozen])
    return UpperLayers(classifier, reader, tokens, frozen, states)


def vectors_of(
    classifier: TextClassifier, features: Features, tokens: Sequence[list[int]]
) -> NDArray[np.float32]:
    """Vectors of every text without gradient or dropout. *Shape:* (n_texts, width)"""
    width = classifier.head.in_features
    vectors = np.zeros((len(tokens), width), dtype=np.float32)
    classifier.eval()
    with torch.no_grad():
        for batch in plan([len(ids) for ids in tokens], budget=TOKENS_PER_BATCH):
            vectors[batch.rows] = features(batch.rows).cpu().numpy()
    return vectors


def _states(
    classifier: TextClassifier,
    whole: Features,
    tokens: Sequence[list[int]],
    layer: nn.Module,
) -> list[torch.Tensor]:
    """States of each text that enter a layer. *Shape of each:* (n_tokens, width)"""
    kind = torch.bfloat16 if has_fast_bfloat16(classifier.head.weight.device) else torch.float32
    tensors = [torch.empty(0)] * len(tokens)
    classifier.eval()
    with torch.no_grad():
        for batch in plan([len(ids) for ids in tokens], budget=TOKENS_PER_BATCH):
            states = states_entering(layer, partial(whole, batch.rows))
            for position, row in enumerate(batch.rows):
                tensors[row] = states[position, : len(tokens[row])].to(kind, copy=True)
    return tensors


def _states_fit(classifier: TextClassifier, tokens: Sequence[list[int]]) -> bool:
    device = classifier.head.weight.device
    size = 2 if has_fast_bfloat16(device) else 4
    n_tokens = sum(len(ids) for ids in tokens)
    return n_tokens * int(classifier.head.in_features) * size <= STATES_LIMIT


def _stack(classifier: TextClassifier) -> nn.ModuleList:
    stack = layer_stack(classifier.body)
    if stack is None:
        raise ValueError("the body has no list of layers, expected one that freeze_lower accepted")
    return stack
