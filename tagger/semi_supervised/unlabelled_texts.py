"""Which unlabelled texts a strategy may learn from, and which stay unread for who judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagger.domain.issue import IssueText, TrainingSet

HELD_BACK = 256
"""Recent issues that nobody learns from: on these the chain measures its members, and a member that
had learned its own opinion of them by heart would look surer than it is."""


def texts_to_learn_from(train: TrainingSet, most: int) -> tuple[IssueText, ...]:
    """Up to `most` distinct texts without the labelled ones: recent issues first, then others.

    Recent issues are what is to come; beside issues `train.unlabelled` holds pull requests, which
    are of another kind. Of fewer than twice `HELD_BACK` recent issues half are held back.
    """
    labelled = set(train.issues)
    recent = [text for text in dict.fromkeys(train.recent) if text not in labelled]
    n_back = min(HELD_BACK, len(recent) // 2)
    away = labelled.union(recent[:n_back])
    candidates = dict.fromkeys((*recent[n_back:], *train.unlabelled))
    texts = (text for text in candidates if text not in away and text.full.strip())
    return tuple(text for text, _ in zip(texts, range(most), strict=False))
