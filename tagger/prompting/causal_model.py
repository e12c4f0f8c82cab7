"""A causal language model in a local folder."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.encoders.loading import filler_token, load_tokenizer, quiet
from tagger.encoders.model_sources import weights_digest
from tagger.errors import ModelRefused
from tagger.runtimes.batching import pad
from tagger.runtimes.devices import choose_device, has_fast_bfloat16

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MOST_TOKENS = 2048
"""Longer contexts are not used: on two cores a prompt takes time in proportion."""


class CausalModel:
    """Any `AutoModelForCausalLM`. See `LanguageModel`.

    The prompt is read once, all answers go on from its keys and values together.

    :param folder: a checked folder: safetensors, no remote code.
    """

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        self._device = choose_device(device)
        self._tokenizer = load_tokenizer(folder)
        self._model = _load(folder, self._device)
        self.identity = weights_digest(folder)
        self.context = min(MOST_TOKENS, _limit(self._model.config))

    def count(self, text: str) -> int:
        return len(self._ids(text))

    @torch.inference_mode()
    def log_likelihoods(self, prompt: str, answers: Sequence[str]) -> NDArray[np.float64]:
        """See `LanguageModel.log_likelihoods`; a prompt that is too long loses its beginning."""
        rows = [self._ids(answer) or [filler_token(self._tokenizer)] for answer in answers]
        longest = max(len(row) for row in rows)
        prompted = self._ids(prompt)[-(self.context - longest) :]
        read = torch.tensor([prompted or [filler_token(self._tokenizer)]], device=self._device)
        before = self._model(input_ids=read, use_cache=True)
        first = torch.log_softmax(before.logits[0, -1].float(), dim=-1)
        totals = np.array([float(first[row[0]]) for row in rows])
        if longest > 1:
            totals += self._following(before.past_key_values, read.shape[1], rows, longest)
        return np.asarray(totals / np.array([len(row) for row in rows]), dtype=np.float64)

    def _following(
        self, past: Any, n_read: int, rows: Sequence[Sequence[int]], longest: int
    ) -> NDArray[np.float64]:
        """Log-probability of each answer's tokens after its first."""
        ids, mask = pad(rows, longest, filler_token(self._tokenizer))
        past = copy.deepcopy(past)
        past.batch_repeat_interleave(len(rows))
        visible = np.concatenate([np.ones((len(rows), n_read), dtype=np.int64), mask], axis=1)
        places = np.arange(n_read, n_read + longest)
        logits = self._model(
            input_ids=torch.from_numpy(ids).to(self._device),
            attention_mask=torch.from_numpy(visible).to(self._device),
            position_ids=torch.from_numpy(places).expand(len(rows), -1).to(self._device),
            past_key_values=past,
        ).logits
        likely = torch.log_softmax(logits[:, :-1].float(), dim=-1).cpu()
        following = likely.gather(2, torch.from_numpy(ids[:, 1:, None]))[..., 0].numpy()
        return np.asarray((following * mask[:, 1:]).sum(axis=1), dtype=np.float64)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _load(folder: Path, device: torch.device) -> Any:
    """:raises ModelRefused: not a causal language model that transformers knows."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ModelRefused(
            f"{folder} holds a model of kind {config.model_type}; expected a causal language "
            "model (GPT-2's kind) that transformers itself knows"
        )
    dtype = torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
    with quiet():
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
    return model.to(device).eval()


def _limit(config: Any) -> int:
    limit = getattr(config, "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else MOST_TOKENS
