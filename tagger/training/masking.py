"""Masks for masked-language modelling: which tokens are hidden, and behind what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

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
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Hide some tokens; called anew for every batch, so that each epoch hides others.

    Source: Devlin et al. 2019, BERT, section 3.1 and appendix A.1,
    https://arxiv.org/abs/1810.04805

    :param ids: *Shape:* (n_texts, n_tokens), padding included.
    :param special: ids that are never hidden: padding, [CLS], [SEP] and their like.
    :param vocabulary: random tokens are drawn from [0, vocabulary).
    :returns: what the model reads, and where it has to guess; both of the shape of `ids`. At least
        one token is to be guessed unless all are special.
    """
    ordinary = ~np.isin(ids, list(special))
    guessed = ordinary & (rng.random(ids.shape) < SHARE)
    if not guessed.any() and ordinary.any():
        candidates = np.flatnonzero(ordinary)
        guessed.flat[candidates[rng.integers(len(candidates))]] = True
    fate = rng.random(ids.shape)
    shown = np.where(guessed & (fate < HIDDEN), mask_id, ids)
    swapped = guessed & (fate >= HIDDEN) & (fate < HIDDEN + REPLACED)
    shown = np.where(swapped, rng.integers(vocabulary, size=ids.shape), shown)
    return shown.astype(np.int64), guessed
