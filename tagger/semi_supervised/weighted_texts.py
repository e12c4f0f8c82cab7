"""What is known for certain: labelled issues, and the labels' own wordings as weak examples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORDINGS = 2
"""Wordings of a label that serve as examples: its name, and its description or an alias."""

FADING = 16.0
"""Issues with a label from which its wording counts for half an issue, with more for less."""

TRUSTED_AREA = 0.75
"""From this chance on that an issue with a label is nearer to its wording than one without,
wordings count in full; at a half, which is chance, not at all."""


@dataclass(frozen=True)
class WeightedTexts:
    """Texts with targets.

    :ivar texts: (n_texts,)
    :ivar targets: *Shape:* (n_texts, n_labels)
    :ivar weights: how much each target counts; an issue's count 1. *Shape:* (n_texts, n_labels)
    :ivar n_issues: texts from here on are wordings.
    """

    texts: tuple[str, ...]
    targets: NDArray[np.bool_]
    weights: NDArray[np.float32]
    n_issues: int

    @classmethod
    def of(
        cls,
        issues: Sequence[str],
        targets: NDArray[np.bool_],
        wordings: Sequence[Sequence[str]] = (),
    ) -> Self:
        """Issues, then wordings: each an example of its label, and faintly of no other label.

        A wording counts the less, the more issues show what its label means. The other labels'
        wordings together count as one issue without a label, lest a large label set drown the few
        issues that there are.

        :param targets: *Shape:* (n_issues, n_labels)
        :param wordings: of each label, best first; none: the issues alone.
        """
        of_label = [
            (label, wording)
            for label, each in enumerate(wordings)
            for wording in list(each)[:WORDINGS]
        ]
        n_labels = targets.shape[1]
        labels = np.array([label for label, _ in of_label], dtype=int)
        is_own = labels[:, None] == np.arange(n_labels)
        fading = 1 / (1 + targets.sum(axis=0) / FADING)
        weights = np.where(is_own, 1.0, 1 / n_labels) * fading
        return cls(
            (*issues, *(wording for _, wording in of_label)),
            np.vstack([targets, is_own]),
            np.vstack([np.ones(targets.shape), weights]).astype(np.float32),
            len(issues),
        )

    def trusting(self, vectors: NDArray[np.float32]) -> Self:
        """Wordings count as far as they tell the labelled issues apart: a body may not know them.

        :param vectors: of the texts, unit length. *Shape:* (n_texts, width)
        """
        n = self.n_issues
        likeness = vectors[:n] @ vectors[n:].T
        areas = []
        for label, truth in enumerate(self.targets[:n].T):
            columns = np.flatnonzero(self.targets[n:, label])
            if len(columns) and truth.any() and not truth.all():
                nearest = likeness[:, columns].max(axis=1)
                areas.append(float((nearest[truth][:, None] > nearest[~truth]).mean()))
        if not areas:
            return self
        trust = np.clip((np.mean(areas) - 0.5) / (TRUSTED_AREA - 0.5), 0.0, 1.0)
        weights = self.weights.copy()
        weights[n:] *= trust
        return replace(self, weights=weights)

    def __len__(self) -> int:
        return len(self.texts)
