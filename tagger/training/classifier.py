"""Classifiers that are fine-tuned: a transformer's states, pooled or at a gap, under the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from tagger.encoders.loading import without_pooler
from tagger.encoders.sentence_model import mean_pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GENERATOR = "generator."
"""What the names of a generator's numbers begin with."""

GAP = "gap"
"""The name under which the mask token is kept."""


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

    def head_arrays(self) -> dict[str, NDArray[np.float32]]:
        """All numbers beside the body's, by name."""
        return {
            "weight": self.head.weight.detach().cpu().numpy(),
            "bias": self.head.bias.detach().cpu().numpy(),
        }

    def set_head(self, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Start the head from numbers found elsewhere.

        :param weights: *Shape:* (n_labels, width)
        :param bias: *Shape:* (n_labels,)
        """
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weights))
            self.head.bias.copy_(torch.from_numpy(bias))


class ClozeClassifier(TextClassifier):
    """A masked language model's guess at a gap, under one output a label.

    What the model would compare with its vocabulary is compared with one row a label instead,
    which begins as the mean of the rows of the label's own words. The gap is the last mask token:
    a reporter may well have typed one.

    Source: Schick and Schütze 2021, "Exploiting Cloze Questions for Few Shot Text Classification
    and Natural Language Inference", https://arxiv.org/abs/2001.07676

    :ivar generator: the model's head without its vocabulary, in float32.
    :ivar mask_id: the mask token.
    """

    def __init__(self, body: Any, generator: nn.Module, n_labels: int, mask_id: int) -> None:
        super().__init__(body, n_labels)
        self.generator = generator
        self.mask_id = mask_id

    @classmethod
    def of_arrays(
        cls, body: Any, n_labels: int, arrays: Mapping[str, NDArray[np.float32]]
    ) -> ClozeClassifier:
        """From what `head_arrays` gave.

        :raises RuntimeError, ValueError: the arrays do not fit the body's architecture.
        """
        from transformers import AutoModelForMaskedLM

        automatic: Any = AutoModelForMaskedLM  # transformers types little of it
        with torch.device("meta"):
            model = automatic.from_config(body.config)
        generator = generator_of(model)
        state = {
            name.removeprefix(GENERATOR): torch.from_numpy(np.asarray(each))
            for name, each in arrays.items()
            if name.startswith(GENERATOR)
        }
        generator.load_state_dict(state, assign=True)
        return cls(body, generator, n_labels, int(arrays[GAP][0]))

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What the model makes of the gap. *Shape:* (n_texts, width), float32."""
        states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        from_end = (ids == self.mask_id).int().flip(1).argmax(dim=1)
        rows = torch.arange(len(ids), device=ids.device)
        guesses: torch.Tensor = self.generator(states[rows, ids.shape[1] - 1 - from_end].float())
        return guesses.float()

    def head_arrays(self) -> dict[str, NDArray[np.float32]]:
        generator = {
            f"{GENERATOR}{name}": each.detach().cpu().numpy()
            for name, each in self.generator.state_dict().items()
        }
        return {**super().head_arrays(), **generator, GAP: np.array([self.mask_id], np.float32)}


def generator_of(model: Any) -> nn.Module:
    """The one module of a masked language model between states and vocabulary, without the latter.

    :raises ValueError: the architecture's head is in several pieces.
    """
    heads = [part for part in model.children() if part is not model.base_model]
    if len(heads) != 1:
        raise ValueError(
            f"the masked-language head of {model.config.model_type} is in {len(heads)} pieces, "
            "expected one, as BERT, RoBERTa and MPNet have it"
        )
    head: nn.Module = heads[0]
    decoder = model.get_output_embeddings()
    name = next(name for name, part in head.named_modules() if part is decoder)
    head.set_submodule(name, nn.Identity())
    for name, parameter in list(head.named_parameters()):
        if parameter.ndim == 1 and len(parameter) == int(model.config.vocab_size):
            owner, _, last = name.rpartition(".")  # the vocabulary's bias
            head.get_submodule(owner).register_parameter(last, None)
    return head
