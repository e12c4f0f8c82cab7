"""Tiny transformers of several kinds, with a tokenizer that knows a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.domain.issue import IssueText, Label, TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

    import torch

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CRASH = ("crash", "segfault", "error", "fails", "broken")
WISH = ("please", "add", "support", "feature", "wish")
FILLER = ("the", "page", "when", "menu", "file", "button", "report", "i", "open", "it")
VOCABULARY = (*SPECIAL, *CRASH, *WISH, *FILLER)

SIZES = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


def bert(**more: Any) -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(**{**SIZES, "initializer_range": 0.2, **more}))


def masked_bert() -> torch.nn.Module:
    from transformers import BertConfig, BertForMaskedLM

    return BertForMaskedLM(BertConfig(**SIZES))


def mpnet() -> torch.nn.Module:
    from transformers import MPNetConfig, MPNetModel

    return MPNetModel(MPNetConfig(**SIZES))


def distilbert() -> torch.nn.Module:
    from transformers import DistilBertConfig, DistilBertModel

    return DistilBertModel(
        DistilBertConfig(
            vocab_size=len(VOCABULARY), dim=32, n_layers=4, n_heads=2, hidden_dim=32,
            max_position_embeddings=64,
        )
    )  # fmt: skip


def gpt() -> torch.nn.Module:
    from transformers import GPT2Config, GPT2Model

    return GPT2Model(
        GPT2Config(vocab_size=len(VOCABULARY), n_embd=32, n_layer=4, n_head=2, n_positions=64,
                   bos_token_id=2, eos_token_id=3)
    )  # fmt: skip


def save(model: Any, folder: Path) -> Path:
    """A folder as the hub would have it."""
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    words = folder / "vocab.txt"
    words.write_text("\n".join(VOCABULARY), encoding="utf-8")
    BertTokenizerFast(vocab=str(words)).save_pretrained(folder)
    return folder


def seeded(make: Any) -> Any:
    """A model whose random weights are the same in every test."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(3)
        return make()


def issues(n: int, seed: int = 0) -> TrainingSet:
    """Issues that are a crash, a wish, both or neither, and say so."""
    rng = np.random.default_rng(seed)
    targets = rng.random((n, 2)) < 0.45
    texts = tuple(_text(row, rng) for row in targets)
    return TrainingSet((Label("crash"), Label("wish")), tuple(range(n)), texts, targets)


def unlabelled(n: int, seed: int = 1) -> tuple[IssueText, ...]:
    return issues(n, seed).issues


def _text(row: np.ndarray, rng: np.random.Generator) -> IssueText:
    words = list(rng.choice(FILLER, size=rng.integers(2, 12)))
    for says, vocabulary in zip(row, (CRASH, WISH), strict=True):
        words += list(rng.choice(vocabulary, size=2)) if says else []
    shuffled = [str(word) for word in rng.permutation(words)]
    return IssueText(" ".join(shuffled[:4]), " ".join(shuffled[2:]) + " the page when i open it")
