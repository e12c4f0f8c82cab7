"""Textual entailment: does an issue (premise) imply a statement about it (hypothesis)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.batching import pad, plan
from tagger.errors import ModelRefused
from tagger.model_sources import weights_digest
from tagger.transformer_encoder import (
    CHARACTERS_PER_TOKEN,
    TOKENS_PER_BATCH,
    Precision,
    choose_device,
    choose_dtype,
    quiet,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

PREMISE_TOKENS = 48
"""Tokens kept of an issue: title and first sentences say what it is about. With a small NLI model
32 tokens rank labels no worse than 96, at a third of the cost."""

HYPOTHESIS_TOKENS = 64


class Entailment:
    """An NLI cross-encoder that judges all hypotheses of an issue together.

    Source: Yin, Hay, Roth, *Benchmarking Zero-shot Text Classification* (EMNLP 2019,
    https://arxiv.org/abs/1909.00161); Tunstall, von Werra, Wolf, *Natural Language Processing
    with Transformers* (2022), chapter 9, "Working with no labeled data".

    Each premise and each hypothesis is tokenised once, however many pairs they form, and pairs of
    like length share a batch.

    :ivar identity: SHA-256 of the weights.
    :raises ModelRefused: the folder holds no NLI classifier.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        premise_tokens: int = PREMISE_TOKENS,
    ) -> None:
        self._device = choose_device(device)
        self._tokenizer, self._model = _load(
            folder, choose_dtype(precision, self._device), self._device
        )
        self._for, self._against = verdict_columns(self._model.config.id2label, folder)
        self._premise_tokens = premise_tokens
        self._budget = TOKENS_PER_BATCH[self._device.type]
        self.identity = weights_digest(folder)

    def odds(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Matrix:
        """Log-odds of entailment against contradiction; neutral is left aside as in the book.

        *Shape:* (n_premises, n_hypotheses)
        """
        pairs = self._pairs(premises, hypotheses)
        odds = np.zeros(len(pairs), dtype=np.float32)
        for batch in plan([len(pair.ids) for pair in pairs], budget=self._budget):
            odds[batch.rows] = self._run([pairs[row] for row in batch.rows], batch.width)
        return odds.reshape(len(premises), len(hypotheses))

    def _pairs(self, premises: Sequence[str], hypotheses: Sequence[str]) -> list[Any]:
        """Every premise with every hypothesis, premise by premise, as the tokenizer joins them."""
        backend = self._tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        limit = self._premise_tokens * CHARACTERS_PER_TOKEN
        left = backend.encode_batch([text[:limit] for text in premises], add_special_tokens=False)
        right = backend.encode_batch(list(hypotheses), add_special_tokens=False)
        for tokens, most in ((left, self._premise_tokens), (right, HYPOTHESIS_TOKENS)):
            for text in tokens:
                text.truncate(most)
        return [backend.post_process(premise, said) for premise in left for said in right]

    @torch.inference_mode()
    def _run(self, pairs: Sequence[Any], width: int) -> Matrix:
        """*Shape:* (n_pairs,)"""
        ids, mask = pad([pair.ids for pair in pairs], width, self._tokenizer.pad_token_id)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._tokenizer.model_input_names:
            inputs["token_type_ids"], _ = pad([pair.type_ids for pair in pairs], width, 0)
        tensors = {name: torch.from_numpy(rows).to(self._device) for name, rows in inputs.items()}
        logits = self._model(**tensors).logits.float()
        odds: Matrix = (logits[:, self._for] - logits[:, self._against]).cpu().numpy()
        return odds


def verdict_columns(id2label: Mapping[int, str], folder: Path) -> tuple[int, int]:
    """Columns of entailment and of contradiction ("not_entailment" in two-way models).

    :raises ModelRefused: the classes have other names, so that the head's meaning is unknown.
    """
    names = {int(column): name.lower() for column, name in id2label.items()}
    against = [column for column, name in names.items() if name.startswith(("contra", "not"))]
    agree = [column for column, name in names.items() if name.startswith("entail")]
    if len(agree) != 1 or len(against) != 1:
        raise ModelRefused(
            f"{folder} has the classes {', '.join(names.values())}; expected an NLI model with "
            "entailment and contradiction among them"
        )
    return agree[0], against[0]


def _load(folder: Path, dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and classifier from a checked folder: safetensors only, no remote code."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
    return tokenizer, model.to(device).eval()
