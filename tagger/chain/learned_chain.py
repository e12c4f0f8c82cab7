"""What a chain has learned: a frozen value, which any number of threads may ask at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.chain.precision_guarantee import promised_thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from tagger.chain.cascade import Cascade
    from tagger.chain.contentless import ContentCheck
    from tagger.chain.familiarity import FamiliarityCheck
    from tagger.chain.precision_guarantee import Evidence


@dataclass(frozen=True)
class LearnedChain:
    """The members in their stages, and what was concluded from them.

    :ivar asked: for each member the share of issues that reaches it.
    :ivar served_by: for each label the member that moves its score most.
    :ivar always_labelled: whether most issues have a label, so that none is left without.
    :ivar content: tells texts that say nothing.
    :ivar familiarity: tells issues of another kind than those that were learned from.
    :ivar evidence: for each label what its precision can be promised on; empty where there are too
        few labelled issues.
    """

    cascade: Cascade
    asked: Mapping[str, float]
    served_by: tuple[str, ...]
    always_labelled: bool
    content: ContentCheck
    evidence: tuple[Evidence, ...]
    familiarity: FamiliarityCheck

    @property
    def labels(self) -> tuple[str, ...]:
        return self.cascade.labels

    def promised_thresholds(self, target: float) -> NDArray[np.float64]:
        """Threshold of each label that keeps the target; infinity where none does.

        *Shape:* (n_labels,)
        """
        return promised_thresholds(self.evidence, target, len(self.labels))
