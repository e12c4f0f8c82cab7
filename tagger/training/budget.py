"""How many steps fit into a time: by arithmetic, never by the clock, so that results repeat."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

FLOPS_PER_SECOND = 150e9
"""What two cores with bfloat16 were measured to train at; slower machines take longer."""

FLOPS_PER_WEIGHT = 6
"""Forward and backward, for each weight and token (Kaplan et al. 2020, section 2.1)."""


def step_flops(weights: float, tokens: float) -> float:
    """Operations of one training step.

    :param weights: that each token is multiplied with, embedding tables left out.
    :param tokens: in the batch.
    """
    return FLOPS_PER_WEIGHT * weights * tokens


@dataclass(frozen=True)
class StepBudget:
    """The bound on one adaptation.

    :ivar seconds: on the machine that `FLOPS_PER_SECOND` describes.
    :ivar epochs: how often a text is seen at most; binds on small corpora.
    :ivar batch_size: texts a step.
    :ivar max_tokens: of one text.
    :ivar whole_words: all pieces of a word are hidden together, or none.
    """

    seconds: float = 150.0
    epochs: float = 2.0
    batch_size: int = 32
    max_tokens: int = 96
    whole_words: bool = False

    def steps(self, n_texts: int, tokens: float, weights: float) -> int:
        """Steps that both bounds allow, at least one.

        :param tokens: that an average text has.
        :param weights: that each token is multiplied with.
        """
        cost = step_flops(weights, tokens * min(n_texts, self.batch_size))
        affordable = int(self.seconds * FLOPS_PER_SECOND / cost)
        wanted = ceil(self.epochs * n_texts / self.batch_size)
        return max(1, min(affordable, wanted))


def layer_weights(body: Any) -> int:
    """Weights that every token is multiplied with: all but the embedding tables.

    :param body: a transformer.
    """
    tables = int(body.get_input_embeddings().weight.numel())
    return max(1, sum(int(parameter.numel()) for parameter in body.parameters()) - tables)
