"""Cloze: which label's words would a masked language model put into "This issue is about …"?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.encoders.loading import CHARACTERS_PER_TOKEN, filler_token, quiet
from tagger.encoders.model_sources import weights_digest
from tagger.runtimes.batching import pad, plan
from tagger.runtimes.devices import TOKENS_PER_BATCH, choose_device, usual_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tagger.runtimes import Runtime

    Matrix = NDArray[np.float32]

TEXT_TOKENS = 96
"""Tokens kept of an issue before the question."""

QUESTION = "This issue is about {}."
_WORD = re.compile(r"[^\W\d_]{2,}")


class Cloze:
    """A masked language model asked for the word that names an issue's subject.

    Source: Schick and Schütze, *Exploiting Cloze Questions for Few Shot Text Classification and
    Natural Language Inference* (EACL 2021, https://arxiv.org/abs/2001.07676); Tunstall, von Werra,
    Wolf, *Natural Language Processing with Transformers* (2022), chapter 9.

    It computes in PyTorch under every runtime: its answers are as wide as the vocabulary, of which
    a few columns are read.

    :param runtime: "torch" is float32, any other what the device is fastest in.
    :ivar identity: SHA-256 of the weights.
    """

    def __init__(
        self, folder: Path, *, device: str = "auto", runtime: Runtime | None = None
    ) -> None:
        self._device = choose_device(device)
        exact = "torch" in {runtime, usual_runtime(device)}
        dtype = torch.float32 if exact else torch.bfloat16
        self._tokenizer, self._model = _load(folder, dtype, self._device)
        self._budget = TOKENS_PER_BATCH[self._device.type]
        self.identity = weights_digest(folder)

    def words(self, verbalizers: Sequence[str]) -> tuple[int, ...]:
        """Tokens that stand for a label; empty where the vocabulary has none.

        See `whole_words`.
        """
        return whole_words(self._tokenizer, verbalizers)

    def log_probabilities(self, texts: Sequence[str], words: Sequence[Sequence[int]]) -> Matrix:
        """Mean log-probability of each label's words in the gap. *Shape:* (n_texts, n_labels)"""
        rows = [self._question(text) for text in texts]
        zeros = np.zeros((len(texts), len(words)), dtype=np.float32)
        for batch in plan([len(ids) for ids in rows], budget=self._budget):
            logs = self._run([rows[row] for row in batch.rows], batch.width)
            for label, tokens in enumerate(words):
                zeros[batch.rows, label] = logs[:, list(tokens)].mean(axis=1)
        return zeros

    def _question(self, text: str) -> list[int]:
        """Ids of the issue's beginning, then the question with its gap."""
        beginning = self._tokenizer(
            text[: TEXT_TOKENS * CHARACTERS_PER_TOKEN],
            add_special_tokens=False,
            truncation=True,
            max_length=TEXT_TOKENS,
        )["input_ids"]
        encoded = self._tokenizer(
            " " + QUESTION.format(self._tokenizer.mask_token), add_special_tokens=False
        )["input_ids"]
        start, end = self._frame()
        return [*start, *beginning, *encoded, *end]

    def _frame(self) -> tuple[list[int], list[int]]:
        """Special tokens that this tokenizer puts before and after a text."""
        ids = list(self._tokenizer("")["input_ids"])
        half = (len(ids) + 1) // 2
        return ids[:half], ids[half:]

    @torch.inference_mode()
    def _run(self, rows: Sequence[Sequence[int]], width: int) -> Matrix:
        """Log-probabilities over the vocabulary in the gap. *Shape:* (n_rows, n_tokens)"""
        ids, mask = pad(rows, width, filler_token(self._tokenizer))
        # the last one: a reporter may well have typed [MASK]
        gaps = [
            width - 1 - int(np.argmax(row[::-1] == self._tokenizer.mask_token_id)) for row in ids
        ]
        logits = self._model(
            input_ids=torch.from_numpy(ids).to(self._device),
            attention_mask=torch.from_numpy(mask).to(self._device),
        ).logits[torch.arange(len(gaps)), torch.tensor(gaps)]
        logs: Matrix = torch.log_softmax(logits.float(), dim=1).cpu().numpy()
        return logs


def whole_words(tokenizer: Any, verbalizers: Sequence[str]) -> tuple[int, ...]:
    """Tokens that stand for a label; empty where the vocabulary has none.

    Those words of its first wording that the vocabulary holds whole, or else of the next.
    """
    for verbalizer in verbalizers:
        tokens = [_token(tokenizer, word) for word in _WORD.findall(verbalizer.lower())]
        if token_ids := tuple(dict.fromkeys(token for token in tokens if token is not None)):
            return token_ids
    return ()


def _token(tokenizer: Any, word: str) -> int | None:
    """The one token that the word is, as it stands after a space; None where it is several."""
    ids = tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
    return int(ids[0]) if len(ids) == 1 and ids[0] != tokenizer.unk_token_id else None


def _load(folder: Path, dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and masked language model from a checked folder: safetensors, no remote code."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForMaskedLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
    return tokenizer, model.to(device).eval()
