"""A lesson: issues that could be asked about, what cheap members say of them, and how good it is.

Made in seconds from what is labelled so far; the next one is made after every eighth answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.learning.training_data import training_data
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from store.database import Store
    from store.records import Repository
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Progress, Resources

POOL = 200
"""Newest issues that nobody labelled, among which the next one is chosen."""
MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")
"""Members that share the encoder's vector: a fit takes seconds."""
MAX_LEARNED = 1000
"""Labelled issues that a lesson learns from, the newest: the page is for repositories with few."""


@dataclass(frozen=True)
class LessonLabel:
    """One label in a lesson.

    :ivar examples: labelled issues that have it.
    :ivar expected_f1: on issues to come, by the probabilities themselves.
    :ivar servable: whether the target precision can be promised for it.
    """

    name: str
    examples: int
    expected_f1: float
    servable: bool


@dataclass(frozen=True)
class LessonIssue:
    """An issue that could be asked about, as it is now and as it was filed."""

    number: int
    title: str
    body: str = field(repr=False)
    text: IssueText = field(repr=False)


@dataclass(frozen=True)
class TeachingLesson:
    """What was learned, and what could be asked next.

    :ivar learned: labelled issues that it was made from.
    :ivar probabilities: *Shape:* (n_issues, n_labels)
    :ivar vectors: *Shape:* (n_issues, width), of unit length
    :ivar taught: vectors of issues that are labelled. *Shape:* (n_taught, width)
    :ivar expected_f1: micro F1 on issues to come.
    """

    names: tuple[str, ...]
    learned: int
    issues: tuple[LessonIssue, ...]
    probabilities: NDArray[np.float64] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)
    taught: NDArray[np.float32] = field(repr=False)
    labels: tuple[LessonLabel, ...]
    expected_f1: float


@dataclass(frozen=True)
class LessonChange:
    """What a lesson brought.

    :ivar new_servable: labels whose precision can be promised from now on.
    """

    answers: int
    expected_f1_before: float
    expected_f1: float
    new_servable: tuple[str, ...]


def make_lesson(
    store: Store, resources: Resources, repository: Repository, target: float, progress: Progress
) -> TeachingLesson:
    """Fit the cheap members on what is labelled, and score the newest issues that are not.

    :raises CommandRefused: the repository has no labels.
    """
    from tagger.chain.chain import Chain

    cheap = replace(resources, zero_shot_model=None, bert_model=None, progress=progress)
    data = training_data(store, repository.full_name, progress=progress)
    data = data.subset(range(max(len(data) - MAX_LEARNED, 0), len(data)))
    issues = _pool(store, repository, frozenset(data.numbers))
    vectors = _encode(cheap, [issue.text for issue in issues], progress)
    learned = list(data.issues[-POOL:])
    taught = _encode(cheap, learned, progress)
    progress("training", 0, 1)
    chain = Chain(cheap, members=MEMBERS).fit(replace(data, unlabelled=()))
    texts = [issue.text for issue in issues]
    scores = np.asarray(chain.score(texts), float) if texts else np.zeros((0, len(data.names)))
    labels, expected = _outlook(data, scores, chain.learned_.promised_thresholds(target))
    return TeachingLesson(
        data.names, len(data), tuple(issues), scores, vectors, taught, labels, expected
    )


def change_between(before: TeachingLesson, after: TeachingLesson) -> LessonChange:
    """What happened between two lessons."""
    could = {label.name for label in before.labels if label.servable}
    return LessonChange(
        after.learned - before.learned,
        before.expected_f1,
        after.expected_f1,
        tuple(label.name for label in after.labels if label.servable and label.name not in could),
    )


def _pool(store: Store, repository: Repository, labelled: frozenset[int]) -> list[LessonIssue]:
    with store.read() as work:
        issues = work.issues.walk(repository.id, limit=POOL + len(labelled) + POOL)
        return [
            LessonIssue(
                issue.number,
                issue.title,
                issue.body,
                IssueText.of(issue.filed_title, issue.filed_body),
            )
            for issue in issues
            if issue.number not in labelled and not issue.labels
        ][:POOL]


def _encode(
    resources: Resources, texts: Sequence[IssueText], progress: Progress
) -> NDArray[np.float32]:
    """Some at a time, so that one sees how far it has come. *Shape:* (n_texts, width)"""
    encoder = resources.encoder()
    parts: list[NDArray[np.float32]] = [np.zeros((0, encoder.width), np.float32)]
    for start in range(0, len(texts), 32):
        progress("reading issues", start, len(texts))
        parts.append(encoder.encode([text.full for text in texts[start : start + 32]]))
    return np.concatenate(parts)


def _outlook(
    data: TrainingSet, scores: NDArray[np.float64], promised: NDArray[np.float64]
) -> tuple[tuple[LessonLabel, ...], float]:
    """Each label's outlook, and the micro F1 that is to be expected."""
    from tagger.statistics.expected_f1 import best_expected_f1, micro_share

    thresholds = best_expected_f1(scores, micro_share(len(data)))
    is_given = scores >= thresholds
    hits = (scores * is_given).sum(axis=0)
    size = is_given.sum(axis=0) + scores.sum(axis=0)
    f1 = np.divide(2 * hits, size, out=np.zeros_like(size, dtype=float), where=size > 0)
    total = float(size.sum())
    labels = tuple(
        LessonLabel(
            name,
            int(data.positives[column]),
            float(f1[column]),
            bool(np.isfinite(promised[column])),
        )
        for column, name in enumerate(data.names)
    )
    return labels, float(2 * hits.sum() / total) if total else 0.0
