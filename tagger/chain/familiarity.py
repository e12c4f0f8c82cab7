"""Whether an issue is of the kind that was learned from: of another kind nothing is promised.

Precision is measured on the repository's own issues, so its guarantee is about issues like them.
One that is less like its nearest labelled issues than nearly all of these are like each other may
be about another project, or no issue at all; it gets suggestions at most.

Source: Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors",
https://arxiv.org/abs/2204.06507
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tagger.strategies.knn import NearestNeighbours, others

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import IssueText
    from tagger.domain.strategy import Strategy

NEAREST = 3
"""Labelled issues that an issue is compared with."""

UNUSUAL = 0.02
"""Share of the labelled issues that are less like the others than an issue must be: so much of the
coverage is lost at home."""

MIN_ISSUES = 64
"""Labelled issues below which the usual likeness is not known."""

MEASURED = 2000
"""Labelled issues that it is measured on, at most."""


@dataclass(frozen=True)
class FamiliarityCheck:
    """Tells issues of another kind.

    :ivar least: mean cosine to the `NEAREST` labelled issues that a familiar issue has; None: too
        few were labelled to say, and every issue is familiar.
    """

    least: float | None = None

    @classmethod
    def fit(cls, knn: Strategy | None, issues: Sequence[IssueText]) -> Self:
        """Measure how like its nearest others each labelled issue is.

        :param knn: the fitted neighbours of these issues; None: the chain has none.
        """
        if not isinstance(knn, NearestNeighbours) or len(issues) < MIN_ISSUES:
            return cls()
        rows = np.random.default_rng(0).permutation(len(issues))[:MEASURED]
        vectors = knn.resources.encoder().encode([issue.full for issue in issues])
        nearest_rows = others(knn.index_, vectors, np.sort(rows), NEAREST)
        likeness = nearest_rows.similarities.mean(axis=1)
        return cls(round(float(np.quantile(likeness, UNUSUAL)), 6))

    def is_familiar(self, similarities: Sequence[float]) -> bool:
        """Whether an issue is of the kind that was learned from.

        :param similarities: cosines to its nearest labelled issues, the nearest first.
        """
        if self.least is None or len(similarities) < NEAREST:
            return True
        return float(np.mean(similarities[:NEAREST])) >= self.least
