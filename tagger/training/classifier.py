"""The classifier that is fine-tuned: a transformer's pooled states under one output a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tagger.encoders.transformer import mean_pool, without_pooler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TextClassifier(nn.Module):
    """Multi-label sequence classification: mean-pooled unit vector, one linear output a label.

    The outputs are independent (sigmoid, not softmax): an issue may carry any number of labels.
    Mean pooling instead of BERT's [CLS] pooler, because the sentence encoders that serve as bodies
    were trained on the mean, so that a logistic head on it already works before any step.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Fine-tuning a vanilla transformer".

    :ivar body: any `AutoModel` with a `last_hidden_state`.
    :ivar head: `n_labels` linear outputs, in float32 whatever the body's precision; zero until it
        is set.
    """

    def __init__(self, body: Any, n_labels: int) -> None:
        super().__init__()
        self.body = without_pooler(body)
        with torch.device("meta"):  # no random numbers are drawn for what is set to zero at once
            head = nn.Linear(int(body.config.hidden_size), n_labels)
        self.head = head.to_empty(device="cpu").requires_grad_(requires_grad=True)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Pooled unit vectors. *Shape:* (n_texts, width), float32.

        :param ids: *Shape:* (n_texts, n_tokens)
        :param mask: *Shape:* (n_texts, n_tokens), 1 for a real token and 0 for padding.
        """
        return mean_pool(self.body(input_ids=ids, attention_mask=mask).last_hidden_state, mask)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits. *Shape:* (n_texts, n_labels), float32. Parameters as for `vectors`."""
        logits: torch.Tensor = self.head(self.vectors(ids, mask))
        return logits

    def set_head(self, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Start the head from numbers found elsewhere.

        :param weights: *Shape:* (n_labels, width)
        :param bias: *Shape:* (n_labels,)
        """
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weights))
            self.head.bias.copy_(torch.from_numpy(bias))
