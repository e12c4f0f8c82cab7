"""The sentence encoder's network: a transformer under attention-masked mean pooling."""

from __future__ import annotations

from typing import Any

import torch

from tagger.encoders.loading import without_pooler


class SentenceModel(torch.nn.Module):
    """A transformer under its pooling: ids and mask in, unit vectors out.

    :ivar body: any `AutoModel` with a `last_hidden_state`.
    """

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = without_pooler(body)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """*Shape:* (n_rows, n_tokens) twice, then (n_rows, width), float32, unit length."""
        return mean_pool(self.body(input_ids=ids, attention_mask=mask).last_hidden_state, mask)


def mean_pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the states that the mask keeps, scaled to unit length; summed in float32.

    :param states: *Shape:* (n_rows, n_tokens, width)
    :param mask: *Shape:* (n_rows, n_tokens), 1 for a real token and 0 for padding.
    :returns: *Shape:* (n_rows, width), float32.
    """
    weights = mask.unsqueeze(-1).to(torch.float32)
    mean = (states.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
    return torch.nn.functional.normalize(mean, dim=1)
