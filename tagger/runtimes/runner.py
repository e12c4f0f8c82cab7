"""Runners: a transformer ready to compute, and the batches that its rows run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from tagger.runtimes.batching import Batch, pad, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from tagger.runtimes import Runtime

    Matrix = NDArray[np.float32]
    Ids = NDArray[np.int64]
    Inputs = tuple[Ids, Ids, Ids | None]
    """Ids, mask and perhaps token types of one batch, as `Runner.run` takes them."""


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


@runtime_checkable
class RunsSideBySide(Protocol):
    """A runner that computes several batches sooner than one after the other."""

    def run_all(self, batches: Sequence[Inputs]) -> Sequence[Matrix]:
        """What `Runner.run` gives for each, in their order."""
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
    batches = plan([len(row) for row in rows], budget=runner.budget, step=runner.step)

    def inputs(batch: Batch) -> Inputs:
        ids, mask = pad([rows[row] for row in batch.rows], batch.width, filler)
        types = pad([kinds[row] for row in batch.rows], batch.width, 0)[0] if kinds else None
        return ids, mask, types

    zeros = np.zeros((len(rows), width), dtype=np.float32)
    if isinstance(runner, RunsSideBySide):
        answers = runner.run_all([inputs(batch) for batch in batches])
        for batch, answer in zip(batches, answers, strict=True):
            zeros[batch.rows] = answer
        return zeros
    for batch in batches:
        zeros[batch.rows] = runner.run(*inputs(batch))
    return zeros
