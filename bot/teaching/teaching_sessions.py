"""The lessons of all repositories, one being made at a time each, and the next question."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import configuration_in
from bot.teaching.lesson import (
    LessonChange,
    LessonIssue,
    TeachingLesson,
    change_between,
    make_lesson,
)
from store.engine.text import name_key
from tagger.evaluation.teaching_order import best_first, teaching_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from store.database import Store
    from store.records import Repository, StoredDecision
    from tagger.domain.strategy import Progress, Resources

EVERY = 8
"""Answers after which the next lesson is made."""
KEYS = 9
"""Labels that have a key of their own."""
MAX_LESSONS = 20
"""Repositories whose lessons are kept in memory."""


@dataclass(frozen=True)
class TeachingQuestion:
    """The issue to label next.

    :ivar likely: the labels that have a key, the likeliest first, with their probabilities.
    :ivar others: all other labels, by name.
    """

    issue: LessonIssue
    likely: tuple[tuple[str, float], ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class TeachingState:
    """How the teaching of a repository stands.

    :ivar answered: issues that were answered here, skipped ones left out; `local` of those
        decisions GitHub does not know of.
    :ivar until_next: answers until the next lesson.
    """

    lesson: TeachingLesson
    change: LessonChange | None
    question: TeachingQuestion | None
    answered: int
    skipped: int
    local: int
    until_next: int


class TeachingSessions:
    """Keeps lessons in memory. Thread-safe."""

    def __init__(self, store: Store, resources: Callable[[Progress], Resources]) -> None:
        self._store = store
        self._resources = resources
        self._lessons: dict[int, tuple[TeachingLesson, LessonChange | None]] = {}
        self._lock = threading.Lock()

    def has_lesson(self, repository: Repository) -> bool:
        """Whether something can be asked already."""
        with self._lock:
            return repository.id in self._lessons

    def teach(self, repository: Repository, progress: Progress) -> None:
        """Make the next lesson; takes seconds, the first time up to a minute."""
        with self._store.read() as work:
            configuration = configuration_in(work, repository) or RepositoryConfiguration.absent()
        lesson = make_lesson(
            self._store,
            self._resources(progress),
            repository,
            configuration.precision,
            progress,
        )
        with self._lock:
            before = self._lessons.pop(repository.id, None)
            change = change_between(before[0], lesson) if before else None
            while len(self._lessons) >= MAX_LESSONS:
                self._lessons.pop(next(iter(self._lessons)))
            self._lessons[repository.id] = lesson, change

    def is_due(self, repository: Repository) -> bool:
        """Whether enough was answered since the last lesson for another."""
        state = self.state(repository)
        return state is not None and state.until_next <= 0

    def state(self, repository: Repository) -> TeachingState | None:
        """How it stands; None: there is no lesson yet."""
        with self._lock:
            there = self._lessons.get(repository.id)
        if there is None:
            return None
        lesson, change = there
        with self._store.read() as work:
            numbers = [issue.number for issue in lesson.issues]
            decided = work.decisions.of_issues(repository.id, numbers)
            counts = work.decisions.counts(repository.id)
        done = {number for number, _ in decided}
        spoken = {number for (number, key) in decided if key}
        return TeachingState(
            lesson,
            change,
            _question(lesson, decided, done),
            counts.answered,
            counts.skipped,
            counts.local,
            EVERY - len(spoken),
        )


def _question(
    lesson: TeachingLesson, decided: Mapping[tuple[int, str], StoredDecision], done: set[int]
) -> TeachingQuestion | None:
    """The first of the order that nobody has answered or skipped."""
    rows = [row for row, issue in enumerate(lesson.issues) if issue.number not in done]
    if not rows:
        return None
    over = [row for row, issue in enumerate(lesson.issues) if issue.number in done]
    approved = {key for (_, key), each in decided.items() if each.verdict == "approved"}
    examples = np.array([label.examples for label in lesson.labels], float)
    examples += np.array([name_key(name) in approved for name in lesson.names], float)
    answered = np.concatenate([lesson.taught, lesson.vectors[over]]) if over else lesson.taught
    (first,) = teaching_order(
        lesson.probabilities[rows],
        examples,
        lesson.vectors[rows],
        answered,
        count=1,
    )
    row = rows[first]
    columns = best_first(list(lesson.probabilities[row]), KEYS)
    likely = tuple((lesson.names[n], float(lesson.probabilities[row, n])) for n in columns)
    with_key = {name for name, _ in likely}
    others = tuple(sorted(set(lesson.names) - with_key, key=str.casefold))
    return TeachingQuestion(lesson.issues[row], likely, others)
