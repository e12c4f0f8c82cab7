"""Members' scores made comparable: each label's log odds measured against what is usual for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import logit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tagger.domain.strategy import Scores

    Features = NDArray[np.float64]
    """*Shape:* (n_issues, n_labels, n_features); see `feature_names`."""

MIN_SPREAD = 0.02
LIMIT = 6.0
"""Features are cut off at so many spreads (log odds) on either side."""


def feature_names(members: tuple[str, ...]) -> tuple[str, ...]:
    """Two features a member: `NAME:z` in spreads of that label, `NAME:odds` in log odds."""
    return tuple(f"{member}:{kind}" for member in members for kind in ("z", "odds"))


@dataclass(frozen=True)
class UsualLogOdds:
    """What each label's log odds usually are under one member. *Shape of both:* (n_labels,)"""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """Measure on scores of issues that the member has not learned from. Needs one issue."""
        odds = log_odds(scores)
        return cls(odds.mean(axis=0), np.maximum(odds.std(axis=0), MIN_SPREAD))

    def features(self, scores: Scores) -> Features:
        """*Shape:* (n_issues, n_labels, 2)"""
        above = log_odds(scores) - self.mean
        pair = np.stack([above / self.spread, above], axis=-1)
        return np.asarray(np.clip(pair, -LIMIT, LIMIT))


def log_odds(scores: Scores) -> NDArray[np.float64]:
    """log(p / (1 - p)), finite for 0 and 1."""
    p = np.clip(np.asarray(scores, dtype=np.float64), 1e-4, 1 - 1e-4)
    return np.asarray(logit(p))


def stack(scores: Mapping[str, Scores], usual: Mapping[str, UsualLogOdds]) -> Features:
    """Features of all members in `usual`'s order."""
    return np.concatenate(
        [usual_log_odds.features(scores[name]) for name, usual_log_odds in usual.items()], axis=-1
    )
