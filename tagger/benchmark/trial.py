"""A trial: the issues that every row of a benchmark learns from, sets thresholds on, is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tagger.domain.strategy import Resources
from tagger.encoders.encoder import CachedEncoder, MemoryVectors

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.issue import TrainingSet
    from tagger.encoders.encoder import Encoder
    from tagger.encoders.model_sources import ModelSource
    from tagger.runtimes import Runtime

LEARNED_FROM = 300
CUT_ON = 100
"""Most issues of the first two parts; smaller repositories are parted in the same proportions."""


@dataclass(frozen=True)
class Trial:
    """Labelled issues in three parts; picklable, for each row runs in a process of its own.

    :ivar train: to learn from.
    :ivar thresholds_on: to choose each label's threshold on.
    :ivar test: to measure on.
    """

    train: TrainingSet
    thresholds_on: TrainingSet
    test: TrainingSet

    @classmethod
    def of(cls, data: TrainingSet, n_test: int, seed: int = 0) -> Self:
        """Part the labelled issues at random.

        :raises ValueError: fewer than 10 labelled issues.
        """
        if len(data) < 10:
            raise ValueError(f"got {len(data)} labelled issues, expected at least 10")
        rows = np.random.default_rng(seed).permutation(len(data))
        n_test = min(n_test, len(rows) // 2)
        rest = rows[n_test:]
        n_cut = min(CUT_ON, len(rest) // 4)
        parts = rest[n_cut : n_cut + LEARNED_FROM], rest[:n_cut], rows[:n_test]
        return cls(*(data.subset(np.sort(part)) for part in parts))


@dataclass(frozen=True)
class ModelLocations:
    """Where the models are: what a process needs to make resources of its own."""

    encoder: ModelSource
    bert_model: Path | None
    zero_shot_model: Path | None
    device: str
    cache: Path

    def bare_encoder(self, runtime: Runtime | None) -> Encoder:
        """The encoder in this runtime."""
        from tagger.encoders.transformer import TransformerEncoder

        return TransformerEncoder(
            self.encoder, device=self.device, runtime=runtime, cache=self.cache
        )

    def resources(self, runtime: Runtime | None) -> Resources:
        """Resources whose encoder keeps vectors in memory, as a service does in its database."""
        opened: list[Encoder] = []

        def encoder() -> Encoder:
            if not opened:
                opened.append(CachedEncoder(self.bare_encoder(runtime), MemoryVectors()))
            return opened[0]

        return Resources(
            encoder=encoder,
            bert_model=self.bert_model,
            encoder_model=self.encoder.folder,
            zero_shot_model=self.zero_shot_model,
            device=self.device,
            cache=self.cache,
            runtime=runtime,
        )
