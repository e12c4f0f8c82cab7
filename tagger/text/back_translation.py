"""Back-translation: a text said in another language and back again says the same otherwise."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import torch

from tagger.encoders.loading import load_tokenizer, quiet
from tagger.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD = 600
"""Characters of a text that are translated; what follows is kept as it is."""

MOST_TOKENS = 160

TEMPERATURE = 0.9
"""Translations are drawn, not the likeliest taken: they differ more (Xie et al. 2020, app. A.2)."""


class BackTranslation:
    """A pair of sequence-to-sequence models, there and back.

    Source: Sennrich, Haddow, Birch 2016, "Improving Neural Machine Translation Models with
    Monolingual Data"; Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers*
    (2022), chapter 9, "Data augmentation"; Xie et al. 2020 for unlabelled texts.

    :param there, back: checked folders of models such as Helsinki-NLP/opus-mt-en-de and -de-en.
    """

    def __init__(self, there: Path, back: Path, device: torch.device) -> None:
        self._device = device
        self._models = [_load(folder, device) for folder in (there, back)]

    def twins(self, texts: Sequence[str], *, seed: int) -> list[str]:
        """Each text once more; a text and a seed always give the same twin.

        A text of which nothing comes back is its own twin.
        """
        return [self._twin(text, seed) for text in texts]

    def _twin(self, text: str, seed: int) -> str:
        head = text[:HEAD]
        if not head.strip():
            return text
        digest = hashlib.sha256(f"{seed} {head}".encode("utf-8", "surrogatepass")).digest()
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int.from_bytes(digest[:4], "big"))
            for tokenizer, model in self._models:
                head = self._translated(head, tokenizer, model)
        return head + text[HEAD:] if head.strip() else text

    @torch.inference_mode()
    def _translated(self, text: str, tokenizer: Any, model: Any) -> str:
        encoded = tokenizer(
            [text or " "], truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        made = model.generate(
            input_ids=encoded["input_ids"].to(self._device),
            attention_mask=encoded["attention_mask"].to(self._device),
            do_sample=True,
            temperature=TEMPERATURE,
            num_beams=1,
            max_new_tokens=MOST_TOKENS,
        )
        return str(tokenizer.decode(made[0], skip_special_tokens=True))


def _load(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """:raises ModelRefused: not a sequence-to-sequence model that transformers knows."""
    from transformers import (
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
        AutoConfig,
        AutoModelForSeq2SeqLM,
    )

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if type(config) not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING:
        raise ModelRefused(
            f"{folder} holds a model of kind {config.model_type}; expected one that translates "
            "(sequence to sequence), such as Helsinki-NLP/opus-mt-en-de"
        )
    with quiet():
        model = AutoModelForSeq2SeqLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    return load_tokenizer(folder), model.to(device).eval()
