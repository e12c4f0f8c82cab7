"""Texts as token ids: cut to what a model reads, dealt into batches of like length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tagger.encoders.loading import CHARACTERS_PER_TOKEN, filler_token
from tagger.runtimes.batching import pad

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

BUCKET = 4
"""Batches that are sorted by length together: padding falls, and the order stays random enough."""

WIDTH_STEP = 8
"""Widths are rounded up to this many tokens: matrix kernels like multiples of eight."""


@dataclass(frozen=True)
class TokenReader:
    """A tokenizer with a limit on length.

    :ivar tokenizer: a tokenizer of transformers.
    :ivar max_tokens: special tokens included; what is longer loses its end.
    :ivar question: a sentence after each text, whose `{}` is the gap that a masked language model
        is to fill; it is never cut, the text before it is. Empty: none.
    """

    tokenizer: Any
    max_tokens: int
    question: str = ""

    @property
    def filler(self) -> int:
        """The id that padding is made of."""
        return filler_token(self.tokenizer)

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at least one a text, without padding."""
        if not texts:
            return []
        if self.question:
            return self.ask(texts, self.question.format(self.tokenizer.mask_token))
        # a decoder's tokenizer adds no special tokens: an empty text would have nothing to pool
        return [ids or [self.filler] for ids in self._encode(texts, self.max_tokens)]

    def ask(self, texts: Sequence[str], sentence: str) -> list[list[int]]:
        """Token ids of each text's beginning, then of the sentence, within the limit."""
        [after] = self._encode([f" {sentence}"], self.max_tokens, special=False)
        start, end = self._frame()
        left = max(0, self.max_tokens - len(after) - len(start) - len(end))
        beginnings = self._encode(texts, left, special=False) if left else [[] for _ in texts]
        return [[*start, *ids, *after, *end] for ids in beginnings]

    def _encode(self, texts: Sequence[str], most: int, *, special: bool = True) -> list[list[int]]:
        encoded = self.tokenizer(
            [text[: most * CHARACTERS_PER_TOKEN] for text in texts],
            truncation=True,
            max_length=most,
            add_special_tokens=special,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def _frame(self) -> tuple[list[int], list[int]]:
        """Special tokens that this tokenizer puts before and after a text."""
        ids = list(self.tokenizer("")["input_ids"])
        half = (len(ids) + 1) // 2
        return ids[:half], ids[half:]

    def collate(
        self, tokens: Sequence[Sequence[int]], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pad to the longest. Ids and mask, each of *Shape:* (n_texts, width), int64."""
        longest = max(len(ids) for ids in tokens)
        ids, mask = pad(tokens, -(-longest // WIDTH_STEP) * WIDTH_STEP, self.filler)
        return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def random_batches(
    lengths: Sequence[int], size: int, rng: np.random.Generator
) -> list[NDArray[np.int_]]:
    """Deal every row once into batches of `size`: random, yet of like length within a batch.

    Rows are shuffled, cut into buckets of some batches, sorted by length within a bucket; then
    the batches are shuffled, for their order must not tell the length.

    :returns: row numbers. *Shape:* (n_rows,) each, the last of a bucket may be smaller.
    """
    if size < 1:
        raise ValueError(f"batch size is {size}, expected at least 1")
    widths = np.asarray(lengths, dtype=int)
    shuffled = rng.permutation(len(widths))
    batches: list[NDArray[np.int_]] = []
    for start in range(0, len(shuffled), size * BUCKET):
        bucket = shuffled[start : start + size * BUCKET]
        ordered = bucket[np.argsort(widths[bucket], kind="stable")]
        batches += [ordered[at : at + size] for at in range(0, len(ordered), size)]
    return [batches[position] for position in rng.permutation(len(batches))]


def endless_batches(
    lengths: Sequence[int], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int_]]:
    """One epoch of `random_batches` after another, each dealt anew.

    :raises ValueError: no rows, of which no batch can be made.
    """
    if not len(lengths):
        raise ValueError("got no rows to deal into batches, expected at least one")
    while True:
        yield from random_batches(lengths, size, rng)
