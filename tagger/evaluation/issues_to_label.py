"""Which unlabelled issues would teach most: where a label that needs examples is undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.report.extras import NextIssue
from tagger.statistics.informativeness import informativeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.domain.issue import IssueText, TrainingSet
    from tagger.domain.strategy import Scores

SHOWN = 15

EACH = 3
"""Issues of one label, at most: ten questions about the same label teach little more than three."""


def most_informative(
    data: TrainingSet, numbers: Sequence[int], issues: Sequence[IssueText], scores: Scores
) -> tuple[NextIssue, ...]:
    """Choose by `tagger.statistics.informativeness`, a few of each label.

    :param data: what is labelled already.
    :param scores: of the unlabelled issues. *Shape:* (n_issues, n_labels), in [0, 1]
    """
    probabilities = scores.astype(float)
    worth = informativeness(probabilities, data.positives.astype(float))
    worth = np.where(data.positives > 0, worth, 0.0)
    shown_of_label: dict[int, int] = {}
    chosen: dict[int, NextIssue] = {}
    for place in np.argsort(-worth, axis=None, kind="stable"):
        row, column = np.unravel_index(place, worth.shape)
        if len(chosen) == SHOWN or not worth[row, column]:
            break
        if int(row) in chosen or shown_of_label.get(int(column), 0) == EACH:
            continue
        shown_of_label[int(column)] = shown_of_label.get(int(column), 0) + 1
        examples = int(data.positives[column])
        chosen[int(row)] = NextIssue(
            numbers[row],
            issues[row].title,
            data.names[column],
            float(probabilities[row, column]),
            f"undecided, and the label has {examples} example{'s' if examples != 1 else ''}",
        )
    return tuple(chosen.values())
