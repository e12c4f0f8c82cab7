"""Adaptation by titles and bodies: an issue's title is to find its own body among the batch's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from tagger.encoders.transformer import load, mean_pool, position_limit, without_pooler
from tagger.training.budget import layer_weights
from tagger.training.errors import CannotAdapt
from tagger.training.optimisation import parameter_groups, rate_for
from tagger.training.tokens import TokenReader, endless_batches
from tagger.training.training_loop import descend, fast_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tagger.domain.issue import IssueText
    from tagger.training.budget import StepBudget

TEMPERATURE = 0.05
"""Of the cosines; the value of SimCSE and of all-MiniLM-L6-v2's own training."""

RATE, DECAY = 5e-5, 0.01

TITLE_TOKENS = 32

MIN_BODY = 20
"""Characters: below this a body says nothing that could be found."""


class TitleBody:
    """A body that learns which text belongs to which title.

    Source: van den Oord et al. 2018, InfoNCE, https://arxiv.org/abs/1807.03748; in-batch
    negatives as in Henderson et al. 2017, https://arxiv.org/abs/1705.00652
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.tokenizer, body = load(folder, torch.float32, device)
        self.body = without_pooler(body)

    def adapt(
        self,
        texts: Sequence[IssueText],
        budget: StepBudget,
        *,
        seed: int,
        report: Callable[[int, int], None] = lambda _, __: None,
    ) -> list[float]:
        """Train the body in place.

        :param told: how many steps are done, and of how many.
        :returns: each step's loss, in nats.
        :raises CannotAdapt: fewer than two issues with both a title and a body.
        """
        pairs = [text for text in texts if text.title and len(text.body) >= MIN_BODY]
        if len(pairs) < 2:
            raise CannotAdapt(f"{len(pairs)} issues have a title and a body, expected at least 2")
        reader = TokenReader(
            self.tokenizer, min(budget.max_tokens, position_limit(self.body.config))
        )
        titles = TokenReader(self.tokenizer, min(TITLE_TOKENS, reader.max_tokens)).read(
            [text.title for text in pairs]
        )
        bodies = reader.read([text.body for text in pairs])
        lengths = [len(ids) for ids in bodies]
        both = float(np.mean(lengths) + np.mean([len(ids) for ids in titles]))
        steps = budget.steps(len(pairs), both, layer_weights(self.body))
        batches = endless_batches(lengths, budget.batch_size, np.random.default_rng(seed))
        self.body.train()

        def loss_at(step: int) -> torch.Tensor:
            report(step, steps)
            batch = next(batches)
            return info_nce(
                self._vectors(reader, [titles[row] for row in batch]),
                self._vectors(reader, [bodies[row] for row in batch]),
            )

        rate = rate_for(RATE, int(self.body.config.hidden_size))
        groups = parameter_groups(self.body.parameters(), rate=rate, decay=DECAY)
        return descend(groups, steps, loss_at)

    def _vectors(self, reader: TokenReader, tokens: list[list[int]]) -> torch.Tensor:
        """*Shape:* (n_texts, width), unit length."""
        ids, mask = reader.collate(tokens, self.body.device)
        with fast_precision(ids.device):
            states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        return mean_pool(states, mask)


def info_nce(titles: torch.Tensor, bodies: torch.Tensor) -> torch.Tensor:
    """How badly each title finds its body and each body its title, in nats.

    :param titles: *Shape:* (n_pairs, width), unit length.
    :param bodies: *Shape:* (n_pairs, width), unit length; row i belongs to title i.
    """
    similarity = titles @ bodies.T / TEMPERATURE
    tensor = torch.arange(len(titles), device=titles.device)
    return (
        nn.functional.cross_entropy(similarity, tensor)
        + nn.functional.cross_entropy(similarity.T, tensor)
    ) / 2
