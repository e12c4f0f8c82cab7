"""Masks for masked-language modelling: which tokens are hidden, and behind what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

SHARE = 0.15
"""Of the ordinary tokens, this share is to be guessed."""

HIDDEN, REPLACED = 0.8, 0.1
"""Of those, shares that show the mask token and a random token; the rest show themselves."""


def mask_tokens(
    ids: NDArray[np.int64],
    *,
    special: Collection[int],
    mask_id: int,
    vocabulary: int,
    rng: np.random.Generator,
    continues: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Hide some tokens; called anew for every batch, so that each epoch hides others.

    Source: Devlin et al. 2019, BERT, section 3.1 and appendix A.1,
    https://arxiv.org/abs/1810.04805

    :param ids: *Shape:* (n_texts, n_tokens), padding included.
    :param special: ids that are never hidden: padding, [CLS], [SEP] and their like.
    :param continues: of each token id, whether it goes on with the word before it: then words are
        hidden whole (Cui et al. 2021, "Pre-Training with Whole Word Masking for Chinese BERT",
        https://arxiv.org/abs/1906.08101, on what BERT's authors released in 2019). None: pieces
        are hidden one by one. *Shape:* (vocabulary,)
    :param vocabulary: random tokens are drawn from [0, vocabulary).
    :returns: what the model reads, and where it has to guess; both of the shape of `ids`. At least
        one token is to be guessed unless all are special.
    """
    ordinary = ~np.isin(ids, list(special))
    drawn = rng.random(ids.shape)
    if continues is not None:
        drawn = _of_first_piece(drawn, continues[ids] & ordinary)
    guessed = ordinary & (drawn < SHARE)
    if not guessed.any() and ordinary.any():
        candidates = np.flatnonzero(ordinary)
        guessed.flat[candidates[rng.integers(len(candidates))]] = True
    fate = rng.random(ids.shape)
    shown = np.where(guessed & (fate < HIDDEN), mask_id, ids)
    swapped = guessed & (fate >= HIDDEN) & (fate < HIDDEN + REPLACED)
    shown = np.where(swapped, rng.integers(vocabulary, size=ids.shape), shown)
    return shown.astype(np.int64), guessed


def _of_first_piece(
    drawn: NDArray[np.float64], continued: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Each piece's number is that of the piece that its word begins with. *Shape:* as given."""
    places = np.broadcast_to(np.arange(drawn.shape[1]), drawn.shape)
    first = np.maximum.accumulate(np.where(continued, 0, places), axis=1)
    return np.take_along_axis(drawn, first, axis=1)


def continuing_tokens(tokens: Sequence[str]) -> NDArray[np.bool_]:
    """Which pieces go on with a word: by WordPiece's `##`, or where words begin with Ġ or ▁.

    :param tokens: the vocabulary, by id.
    """
    if any(token.startswith("##") for token in tokens):
        return np.array([token.startswith("##") for token in tokens])
    begins = ("\u0120", "\u2581")
    if any(token.startswith(begins) for token in tokens):
        return np.array([not token.startswith(begins) for token in tokens])
    return np.zeros(len(tokens), dtype=bool)
