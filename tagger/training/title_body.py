"""Adaptation by titles and bodies: an issue's title is to find its own body among the batch's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from tagger.encoders.loading import without_pooler
from tagger.encoders.sentence_model import mean_pool
from tagger.training.body_adaptation import BodyAdaptation, CannotAdapt
from tagger.training.tokens import TokenReader
from tagger.training.training_body import load_to_train
from tagger.training.training_loop import fast_precision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from tagger.domain.issue import IssueText
    from tagger.training.body_adaptation import Example

TEMPERATURE = 0.05
"""Of the cosines; the value of SimCSE and of all-MiniLM-L6-v2's own training."""

TITLE_TOKENS = 32

MIN_BODY = 20
"""Characters: below this a body says nothing that could be found."""


class TitleBody(BodyAdaptation):
    """A body that learns which text belongs to which title.

    The table of words stays as it is: each step touches few of its rows, and moving all of them
    with their moments takes a tenth of the step.

    Source: van den Oord et al. 2018, InfoNCE, https://arxiv.org/abs/1807.03748; in-batch
    negatives as in Henderson et al. 2017, https://arxiv.org/abs/1705.00652
    """

    rate = 5e-5

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.tokenizer, body = load_to_train(folder, device)
        self.body = without_pooler(body)
        self.body.get_input_embeddings().weight.requires_grad_(requires_grad=False)

    def _examples(self, reader: TokenReader, texts: Sequence[IssueText]) -> list[Example]:
        """:raises CannotAdapt: fewer than two issues with both a title and a body."""
        pairs = [text for text in texts if text.title and len(text.body) >= MIN_BODY]
        if len(pairs) < 2:
            raise CannotAdapt(f"{len(pairs)} issues have a title and a body, expected at least 2")
        of_titles = TokenReader(self.tokenizer, min(TITLE_TOKENS, reader.max_tokens))
        titles = of_titles.read([text.title for text in pairs])
        bodies = reader.read([text.body for text in pairs])
        return list(zip(titles, bodies, strict=True))

    def _loss(
        self,
        reader: TokenReader,
        batch: Sequence[Example],
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
    ) -> torch.Tensor:
        titles, bodies = (list(part) for part in zip(*batch, strict=True))
        return info_nce(self._vectors(reader, titles), self._vectors(reader, bodies))

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
