"""Batches of texts of like length: which rows go together, and how wide they are padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that run through a model together.

    :ivar rows: positions in the list that was planned. *Shape:* (n_rows,)
    :ivar width: tokens that each row is padded to.
    """

    rows: NDArray[np.int_]
    width: int


def plan(lengths: Sequence[int], *, budget: int, step: int = 16) -> list[Batch]:
    """Cut rows into batches of at most `budget` tokens, padding included; widest first.

    A row's width is its own length rounded up to `step`, and a batch holds one width only: how a
    text is padded never depends on its neighbours, which keeps its vector the same in any company,
    and costs at most `step - 1` idle tokens a row. A row longer than the budget goes alone.
    Widest first, so that a lack of memory shows in the first batch and not in the last.
    """
    if budget < 1 or step < 1:
        raise ValueError(f"budget and step are {budget} and {step}, expected at least 1 each")
    widths = np.maximum(-(-np.asarray(lengths, dtype=int) // step) * step, step)
    order = np.argsort(-widths, kind="stable")
    batches: list[Batch] = []
    for width in np.unique(widths)[::-1]:
        rows = order[widths[order] == width]
        size = max(1, budget // int(width))
        batches += [
            Batch(rows[start : start + size], int(width)) for start in range(0, len(rows), size)
        ]
    return batches


def pad(
    sequences: Sequence[Sequence[int]], width: int, filler: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids filled up on the right, and the mask that says which are real.

    :returns: ids and mask, each of *Shape:* (n_sequences, width); the mask holds 1 and 0.
    """
    ids = np.full((len(sequences), width), filler, dtype=np.int64)
    mask = np.zeros((len(sequences), width), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
