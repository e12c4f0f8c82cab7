"""More texts from few: nlpaug's word and character augmenters, and a masked model's substitutes."""

from __future__ import annotations

import hashlib
import json
import random
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tagger.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Kind = Literal["words", "characters", "context"]

CHARACTERS = 2_000
"""The head of a text that is varied; what follows is kept as it is."""

SHARE = 0.15
"""Share of words that are changed in a copy."""

MAX_CHANGES = 40


def augmented(
    texts: Sequence[str], kind: Kind, *, copies: int, seed: int, masked_lm: Path | None = None
) -> list[str]:
    """Copies of each text with some words dropped, mistyped, or replaced by what fits there.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 9, "Data augmentation"; nlpaug (https://nlpaug.readthedocs.io).

    :param kind: "words" drops some, "characters" mistypes some as a keyboard would, "context"
        replaces some by the guesses of `masked_lm` (Kobayashi, https://arxiv.org/abs/1805.06201).
    :param masked_lm: folder of a model with a masked-LM head; needed for "context" only.
    :returns: `copies` of the first text, then of the second, and so on. A text and a seed always
        give the same copies, whatever else is asked for; what a process has made it keeps, since
        a text comes again in every fold.
    :raises ModelRefused: "context" without a model that has a masked-LM head.
    """
    if kind == "context" and not has_masked_lm_head(masked_lm):
        raise ModelRefused(
            f"contextual augmentation was asked for with model {masked_lm}, expected one with a "
            'masked-LM head; set BERT_MODEL to one, or choose augment="words"'
        )
    try:
        return [
            head + text[CHARACTERS:]
            for text in texts
            for head in _copies(text[:CHARACTERS], kind, masked_lm, copies, seed)
        ]
    finally:
        _augmenter.cache_clear()  # a masked model takes more memory than the texts it made


def has_masked_lm_head(folder: Path | None) -> bool:
    """Whether a model folder says that it was saved with its masked-LM head."""
    if folder is None or not (folder / "config.json").is_file():
        return False
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kinds = config.get("architectures") or []
    return any(kind.endswith(("ForMaskedLM", "ForPreTraining")) for kind in kinds)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the two global generators that nlpaug draws from, and put their states back.

    :param seed: in [0, 2**32).
    """
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@lru_cache(maxsize=4096)
def _copies(
    head: str, kind: Kind, masked_lm: Path | None, copies: int, seed: int
) -> tuple[str, ...]:
    if not head.strip():
        return (head,) * copies
    augmenter = _augmenter(kind, masked_lm)
    digest = hashlib.sha256(f"{seed} {head}".encode()).digest()
    with seeded(int.from_bytes(digest[:4], "big")):
        made = [augmenter.augment(head) for _ in range(copies)]
    return tuple(str(changed[0]) if changed else head for changed in made)


@lru_cache(maxsize=1)
def _augmenter(kind: Kind, masked_lm: Path | None) -> Any:
    if kind == "words":
        from nlpaug.augmenter.word import RandomWordAug

        return RandomWordAug(action="delete", aug_p=SHARE, aug_max=MAX_CHANGES)
    if kind == "characters":
        from nlpaug.augmenter.char import KeyboardAug

        return KeyboardAug(aug_word_p=SHARE, aug_word_max=MAX_CHANGES, aug_char_max=1)
    if masked_lm is None:
        raise AssertionError("augmented() asks for a model first")
    return _masked_word_augmenter(masked_lm)


def _masked_word_augmenter(folder: Path) -> Any:
    """An nlpaug augmenter whose words come from a masked model, all of a text in one pass.

    nlpaug's `ContextualWordEmbsAug` asks tokenizers for methods that transformers 5 no longer
    has, and runs the model once for each word; this subclass overrides the substitution alone.
    """
    from nlpaug.augmenter.word import WordAugmenter

    from tagger.text.masked_words import MaskedWords

    class MaskedWordAug(WordAugmenter):  # type: ignore[misc] # nlpaug ships no types
        def __init__(self, words: MaskedWords) -> None:
            super().__init__(action="substitute", aug_p=SHARE, aug_max=MAX_CHANGES)
            self._words = words

        def substitute(self, data: str) -> str:
            spans = self._words.spans(data)
            chosen = sorted(self.sample(spans, self.generate_aug_cnt(len(spans)))) if spans else []
            for (start, end), word in reversed(list(self._words.guesses(data, chosen))):
                data = data[:start] + word + data[end:]
            return data

    return MaskedWordAug(MaskedWords(folder))
