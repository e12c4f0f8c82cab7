"""Tiny real models for the tests that judge labels: BERT bodies of one narrow layer."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] . , the this is a an and issue about of topic report bug crash "
    "error docs documentation typo readme feature request add support slow speed privacy page it "
    "broken when i open login guide wrong button please new ##s ##ing"
)
VOCABULARY = WORDS.split()


class WordEncoder:
    """An encoder that knows words only: texts with words in common are near."""

    identity = "words"
    width = 256

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), self.width), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                vectors[row, digest[0]] += 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def save_nli(
    folder: Path, classes: Sequence[str] = ("entailment", "neutral", "contradiction")
) -> Path:
    """A random NLI cross-encoder with these classes."""
    import torch
    from transformers import BertForSequenceClassification

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = _config(num_labels=len(classes), id2label=dict(enumerate(classes)))
        BertForSequenceClassification(config).save_pretrained(folder)
    _save_tokenizer(folder)
    return folder


def save_masked_lm(folder: Path) -> Path:
    """A random masked language model."""
    import torch
    from transformers import BertForMaskedLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForMaskedLM(_config()).save_pretrained(folder)
    _save_tokenizer(folder)
    return folder


def _config(**more: object) -> object:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
        **more,
    )


def _save_tokenizer(folder: Path) -> None:
    from transformers import BertTokenizerFast

    file = folder / "vocab.txt"
    file.write_text("\n".join(VOCABULARY), encoding="utf-8")
    BertTokenizerFast(vocab=str(file)).save_pretrained(folder)
