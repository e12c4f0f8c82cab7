"""Evidence turned into probabilities by a curve that all labels share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tagger.strategy import Scores

CAUTION = 4.0
"""How firmly the default is held: the inverse variance of each parameter around it."""

LEAST_SLOPE = 0.05
STEPS = 50
TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Tempering:
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
        curve = _most_likely(np.column_stack([design, np.ones(len(design))]), truth.ravel(), usual)
        return cls(scale, *(float(value) for value in curve))

    def apply(self, evidence: NDArray[np.float64], share: NDArray[np.float32]) -> Scores:
        """Probabilities of the same shape as `evidence`, in (0, 1)."""
        odds = self.slope * evidence / self.scale + self.prior * logit(share.astype(float))
        return np.asarray(expit(odds + self.offset), dtype=np.float32)


def _most_likely(
    design: NDArray[np.float64], truth: NDArray[np.bool_], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Newton's method on the logistic likelihood with a Gaussian prior around `usual`.

    :param design: *Shape:* (n_decisions, n_parameters)
    :returns: *Shape:* (n_parameters,), the first at least `LEAST_SLOPE`: more evidence for a
        label never makes it less likely.
    """
    curve = usual.copy()
    for _ in range(STEPS):
        said = expit(design @ curve)
        gradient = design.T @ (said - truth) + CAUTION * (curve - usual)
        curvature = (design * (said * (1 - said))[:, None]).T @ design
        step = np.linalg.solve(curvature + CAUTION * np.eye(len(curve)), gradient)
        step *= min(1.0, 1.0 / max(1e-12, float(np.abs(step).max())))
        curve = curve - step
        if np.abs(step).max() < TOLERANCE:
            break
    curve[0] = max(curve[0], LEAST_SLOPE)
    return curve
