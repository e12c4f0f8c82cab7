"""Runners: a transformer ready to compute, and the batches that its rows run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tagger.runtimes.batching import pad, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from tagger.runtimes import Runtime

    Matrix = NDArray[np.float32]
    Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """A transformer as every runtime takes it: token ids in, one row of numbers a text out.

    :ivar digest: of all that decides its numbers; a converted copy is kept under it.
    :ivar build: makes the module in a precision, ready to score. It takes ids and mask, and token
        types where `kinds` says so, each an int64 tensor of *Shape:* (n_rows, n_tokens), and gives
        *Shape:* (n_rows, width), float32. What may be computed in fewer bits is its `body`.
    :ivar vocabulary: how many token ids there are.
    :ivar kinds: whether it reads token types.
    :ivar samples: token ids of usual texts, to measure activations on; none: random ones serve.
    """

    digest: str
    build: Callable[[torch.dtype], torch.nn.Module]
    vocabulary: int
    kinds: bool = False
    samples: Sequence[Sequence[int]] = ()


class Runner(Protocol):
    """A network in one runtime."""

    budget: int
    """Tokens that run together, padding included; with 1 each row runs by itself."""
    step: int
    """Rows are padded to a multiple of this many tokens."""
    weight_bytes: int
    """Size of the weights as this runtime keeps them."""

    def run(self, ids: Ids, mask: Ids, kinds: Ids | None = None) -> Matrix:
        """One batch. Each argument has *Shape:* (n_rows, n_tokens); the answer (n_rows, width)."""
        ...


class RunnerOpener(Protocol):
    """Opens a network: on this machine `tagger.runtimes.opening.open_runner`, or elsewhere."""

    def __call__(
        self,
        network: Network,
        runtime: Runtime,
        device: str,
        cache: Path | None = None,
        /,
    ) -> Runner:
        """The network, ready to compute; see `open_runner`."""
        ...


def run_rows(
    runner: Runner,
    rows: Sequence[Sequence[int]],
    width: int,
    *,
    filler: int = 0,
    kinds: Sequence[Sequence[int]] | None = None,
) -> Matrix:
    """Token ids of any lengths through a network, in batches of like length.

    :param width: of the answer.
    :param filler: the id that padding is made of.
    :param kinds: token types of each row.
    :returns: *Shape:* (n_rows, width), in the rows' order.
    """
    zeros = np.zeros((len(rows), width), dtype=np.float32)
    for batch in plan([len(row) for row in rows], budget=runner.budget, step=runner.step):
        ids, mask = pad([rows[row] for row in batch.rows], batch.width, filler)
        types = pad([kinds[row] for row in batch.rows], batch.width, 0)[0] if kinds else None
        zeros[batch.rows] = runner.run(ids, mask, types)
    return zeros
