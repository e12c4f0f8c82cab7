"""What a masked language model would put in place of words of a text."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch

from tagger.encoders.loading import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Span = tuple[int, int]
"""A word's first character and the one after its last."""

MOST_TOKENS = 256
GUESSES = 50
"""The likeliest tokens among which one is drawn."""


class MaskedWords:
    """A masked language model asked for words; draws from Python's global generator."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        with quiet():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            model = AutoModelForMaskedLM.from_pretrained(
                folder, trust_remote_code=False, use_safetensors=True
            )
        self._model: Any = model.eval()
        limit = getattr(model.config, "max_position_embeddings", MOST_TOKENS)
        self._limit = min(MOST_TOKENS, limit)

    def spans(self, text: str) -> list[Span]:
        """Words that are one token each, letters only: those a single guess can replace."""
        encoding = self._encode(text)
        tokens_of = Counter(word for word in encoding.word_ids(0) if word is not None)
        whole = (word for word, n_tokens in tokens_of.items() if n_tokens == 1)
        spans = (encoding.word_to_chars(0, word) for word in whole)
        return [(s.start, s.end) for s in spans if text[s.start : s.end].isalpha()]

    @torch.inference_mode()
    def guesses(self, text: str, spans: Sequence[Span]) -> Iterator[tuple[Span, str]]:
        """For each span a word drawn from the likeliest, all spans masked at once."""
        if not spans:
            return
        encoding = self._encode(text)
        places = [encoding.char_to_token(0, start) for start, _ in spans]
        ids = encoding["input_ids"].clone()
        ids[0, places] = self._tokenizer.mask_token_id
        logits = self._model(input_ids=ids).logits[0, places].float()
        best = logits.topk(min(GUESSES, logits.shape[-1]))
        for span, tokens, likely in zip(spans, best.indices, best.values.softmax(-1), strict=True):
            [token] = random.choices(tokens.tolist(), likely.tolist())
            word = self._tokenizer.decode([token]).strip()
            if word.isalpha():
                yield span, word

    def _encode(self, text: str) -> Any:
        return self._tokenizer(text, truncation=True, max_length=self._limit, return_tensors="pt")
