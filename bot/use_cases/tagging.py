"""Tag: what the active release says of issues, as numbers and words; nothing leaves the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.configuration import RepositoryConfiguration
from bot.errors import CommandRefused
from bot.use_cases.configuration import configuration_in
from bot.use_cases.issue_files import BadRow, read_issues
from bot.use_cases.tag_issue import policy_for
from tagger.issue import IssueText
from tagger.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bot.release_shelf import OnShelf, ReleaseShelf, TaggingRelease
    from store.database import Store
    from tagger.decision import LabelDecision, Policy
    from tagger.strategy import Progress


AT_ONCE = 256
"""Issues scored in one go: enough to fill batches, few enough to tell how far it has come."""


@dataclass(frozen=True, slots=True)
class Question:
    """An issue to be tagged."""

    number: int
    title: str
    text: IssueText


@dataclass(frozen=True, slots=True)
class Answer:
    """Every label of the release for one issue, by falling score."""

    number: int
    title: str
    labels: tuple[LabelDecision, ...]

    def as_json(self) -> dict[str, Any]:
        """As in `tag --json`."""
        return {"number": self.number, "labels": [label.as_json() for label in self.labels]}


def active_release(store: Store, shelf: ReleaseShelf, repository: str) -> OnShelf:
    """The release that serves, loaded.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: none serves.
    :raises ReleaseDamaged: its files are missing or changed.
    """
    with store.read() as work:
        repository_id = work.repositories.get(repository).id
    found = shelf.active(repository_id)
    if found is None:
        raise CommandRefused(
            f"{repository} has no active release; issue-tagger retrain {repository} makes one"
        )
    return found


def stored_questions(store: Store, repository: str, numbers: Sequence[int]) -> tuple[Question, ...]:
    """Issues as filed, in the order asked for.

    :raises CommandRefused: naming the issues that are not stored.
    """
    with store.read() as work:
        repository_id = work.repositories.get(repository).id
        found = [work.issues.find(repository_id, number) for number in numbers]
    missing = [number for number, one in zip(numbers, found, strict=True) if one is None]
    if missing:
        shown = ", ".join(f"#{number}" for number in missing)
        raise CommandRefused(
            f"{repository} has no {shown} in the database; "
            f"issue-tagger sync {repository} brings in what is new"
        )
    return tuple(
        Question(one.number, one.filed_title, IssueText.of(one.filed_title, one.filed_body))
        for one in found
        if one is not None
    )


def questions_of_file(path: Path, progress: Progress = silent) -> tuple[Question, ...]:
    """Every issue of a file, which need not be stored.

    :raises CommandRefused: the file cannot be read, or a row of it is no issue.
    """
    return tuple(_questions(read_issues(path, progress)))


def _questions(rows: Iterable[Any]) -> Iterable[Question]:
    for row in rows:
        if isinstance(row, BadRow):
            raise CommandRefused(f"{row}; nothing was tagged")
        record = row.record
        text = IssueText.of(record.title, record.body)
        yield Question(record.number, record.title, text)


def policy(store: Store, repository: str, labels: Sequence[str]) -> Policy:
    """What the repository's configuration, as last read, asks of decisions on these labels."""
    with store.read() as work:
        stored = work.repositories.get(repository)
        configuration = configuration_in(work, stored)
        renames = work.labels.renames(stored.id)
    return policy_for(configuration or RepositoryConfiguration.absent(), labels, renames)


def tag(
    release: TaggingRelease,
    questions: Sequence[Question],
    asked: Policy,
    progress: Progress = silent,
) -> tuple[Answer, ...]:
    """Score every label of the release for every issue."""
    answers: list[Answer] = []
    for start in range(0, len(questions), AT_ONCE):
        some = questions[start : start + AT_ONCE]
        decided = release.tag([question.text for question in some], asked)
        answers += [
            Answer(
                question.number,
                question.title,
                tuple(label.without(question.number) for label in labels),
            )
            for question, labels in zip(some, decided, strict=True)
        ]
        progress("tagging", len(answers), len(questions))
    return tuple(answers)
