"""Evidence turned into probabilities by a curve that all labels share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, logit

from tagger.statistics.logistic import fit_logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tagger.domain.strategy import Scores

CAUTION = 4.0
"""How firmly the default is held: the inverse variance of each parameter around it."""

MIN_SLOPE = 0.05


@dataclass(frozen=True, slots=True)
class SharedCalibration:
    """Probability = sigmoid(slope * evidence / scale + prior * logit(share) + offset).

    Source: Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with one curve for
    all labels, since a label with two examples cannot have one of its own; each label's share
    stands in for an offset of its own.
    """

    scale: float = 1.0
    slope: float = 1.0
    prior: float = 1.0
    offset: float = 0.0

    @classmethod
    def fit(
        cls,
        evidence: NDArray[np.float64],
        share: NDArray[np.float32],
        truth: NDArray[np.bool_],
        *,
        use_share: bool,
    ) -> Self:
        """The curve that gives the truth the highest likelihood, drawn towards the default.

        :param evidence: of issues held out. *Shape:* (n_issues, n_labels)
        :param share: each label's share of issues. *Shape:* (n_labels,)
        :param use_share: False leaves the labels' shares out.
        """
        scale = float(evidence.std()) or 1.0
        prior = logit(share.astype(float)) if use_share else np.zeros(len(share))
        usual = np.array([1.0, float(use_share), 0.0])
        design = np.stack(
            [evidence.ravel() / scale, np.broadcast_to(prior, evidence.shape).ravel()], axis=1
        )
        columns = np.column_stack([design, np.ones(len(design))])
        curve = fit_logistic(columns, truth.ravel(), usual, np.full(3, CAUTION))
        # More evidence for a label never makes it less likely.
        curve[0] = max(curve[0], MIN_SLOPE)
        return cls(scale, *(float(value) for value in curve))

    def apply(self, evidence: NDArray[np.float64], share: NDArray[np.float32]) -> Scores:
        """Probabilities of the same shape as `evidence`, in (0, 1)."""
        odds = self.slope * evidence / self.scale + self.prior * logit(share.astype(float))
        return np.asarray(expit(odds + self.offset), dtype=np.float32)
