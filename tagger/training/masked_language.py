"""Adaptation by masked-language modelling: the body guesses hidden words of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tagger.encoders.loading import quiet
from tagger.training.body_adaptation import BodyAdaptation, CannotAdapt
from tagger.training.budget import layer_weights
from tagger.training.masking import SHARE, continuing_tokens, mask_tokens
from tagger.training.optimisation import parameter_groups
from tagger.training.training_loop import descend, fast_precision, seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tagger.domain.issue import IssueText
    from tagger.training.body_adaptation import Example
    from tagger.training.budget import StepBudget
    from tagger.training.tokens import TokenReader

HEAD_FIRST = 0.2
"""Share of the steps that a fresh head learns alone, lest it bends a body that knows better."""

HEAD_RATE = 1e-3


class TiedHead(nn.Module):
    """Guesses tokens from states, where the checkpoint brings no such head of one piece.

    BERT's own: dense, GELU, LayerNorm, then the input embeddings as output matrix.
    """

    def __init__(self, embeddings: nn.Embedding) -> None:
        super().__init__()
        vocabulary, width = embeddings.weight.shape
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self._embeddings = [embeddings]  # in a list: shared, not a parameter of this module's own

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """*Shape:* (n_tokens, width) → (n_tokens, vocabulary)"""
        inner = self.norm(nn.functional.gelu(self.dense(states)))
        return nn.functional.linear(inner, self._embeddings[0].weight, self.bias)


class MaskedLanguage(BodyAdaptation):
    """A body with a head that guesses hidden tokens.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Fine-tuning a language model"; Gururangan et al. 2020, "Don't Stop Pretraining",
    https://arxiv.org/abs/2004.10964

    :raises CannotAdapt: the architecture or the tokenizer knows no masks.
    """

    rate = 1e-4

    def __init__(self, folder: Path, device: torch.device) -> None:
        tokenizer, model, missing = _load(folder)
        self.body = model.base_model.to(device)
        self.tokenizer = tokenizer
        self._head, self._fresh = _head(model, missing)
        if not isinstance(self._head, TiedHead):
            self.saved = model  # with the head: what was adapted can fill gaps
        self._head.to(device)
        self._continues: NDArray[np.bool_] | None = None

    def adapt(
        self,
        texts: Sequence[IssueText],
        budget: StepBudget,
        *,
        seed: int,
        report: Callable[[int, int], None] = lambda _, __: None,
    ) -> list[float]:
        """See `BodyAdaptation.adapt`."""
        if budget.whole_words:
            ids = range(int(self.body.config.vocab_size))
            tokens = self.tokenizer.convert_ids_to_tokens(list(ids))
            self._continues = continuing_tokens([token or "" for token in tokens])
        return super().adapt(texts, budget, seed=seed, report=report)

    def _examples(self, reader: TokenReader, texts: Sequence[IssueText]) -> list[Example]:
        return [(ids,) for ids in reader.read([text.full for text in texts])]

    def _descend(self, loss_at: Callable[[int], torch.Tensor], steps: int) -> list[float]:
        """The fresh head alone, then all; a head that was trained before goes along at once."""
        tied = {id(parameter) for parameter in self.body.parameters()}
        generator = (each for each in self._head.parameters() if id(each) not in tied)
        head = parameter_groups(generator, rate=HEAD_RATE, decay=self.decay)
        body = self._body_groups()
        alone = round(HEAD_FIRST * steps) if self._fresh else 0
        self.body.requires_grad_(requires_grad=False)
        losses = descend(head, alone, loss_at)
        self.body.requires_grad_(requires_grad=True)
        return losses + descend(body + head, steps - alone, lambda step: loss_at(step + alone))

    def _loss(
        self, reader: TokenReader, batch: Sequence[Example], rng: np.random.Generator
    ) -> torch.Tensor:
        """Mean cross-entropy of the guessed tokens; only their states go through the head."""
        ids, mask = reader.collate([ids for (ids,) in batch], self.body.device)
        shown, guessed = mask_tokens(
            ids.cpu().numpy(),
            special={*self.tokenizer.all_special_ids, reader.filler},
            mask_id=int(self.tokenizer.mask_token_id),
            vocabulary=int(self.body.config.vocab_size),
            rng=rng,
            continues=self._continues,
        )
        where = torch.from_numpy(guessed).to(ids.device)
        with fast_precision(ids.device):
            read = torch.from_numpy(shown).to(ids.device)
            states = self.body(input_ids=read, attention_mask=mask).last_hidden_state
            guesses = self._head(states[where])
        return nn.functional.cross_entropy(guesses.float(), ids[where], reduction="sum") / max(
            1, int(guessed.sum())
        )

    def _weights(self) -> float:
        """Weights a token meets: the layers', and for each guessed one the vocabulary's."""
        vocabulary = int(self.body.get_input_embeddings().weight.numel())
        return layer_weights(self.body) + SHARE * vocabulary


def _load(folder: Path) -> tuple[Any, Any, set[str]]:
    """Tokenizer, model with a head, and the names of weights that the checkpoint did not have."""
    from transformers import (
        MODEL_FOR_MASKED_LM_MAPPING,
        AutoConfig,
        AutoModelForMaskedLM,
        AutoTokenizer,
    )

    with quiet(), seeded(0, torch.device("cpu")):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
            raise CannotAdapt(f"{config.model_type} has no masked-language model in transformers")
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if tokenizer.mask_token_id is None:
            raise CannotAdapt(f"the tokenizer in {folder} has no mask token")
        model, loading = AutoModelForMaskedLM.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    return tokenizer, model, set(loading["missing_keys"])


def _head(model: Any, missing: set[str]) -> tuple[nn.Module, bool]:
    """The module that turns states into guesses, and whether it starts from nothing."""
    heads = [(name, part) for name, part in model.named_children() if part is not model.base_model]
    if len(heads) == 1:
        name, head = heads[0]
        return head, any(key.startswith(f"{name}.") for key in missing)
    with seeded(0, torch.device("cpu")):
        return TiedHead(model.get_input_embeddings()), True
