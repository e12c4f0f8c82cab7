"""Tag: what the active release says of issues, as numbers and words; nothing leaves the house."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from bot.configuration import RepositoryConfiguration
from bot.configuration.effective import configuration_in
from bot.errors import CommandRefused
from bot.labelling.stored_issues import stored_issues
from bot.labelling.tag_issue import policy_for
from bot.repositories.issue_files import BadRow, read_issues
from tagger.domain.issue import IssueText
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.model_serving.release_cache import LoadedRelease, ReleaseCache, TaggingRelease
    from store.database import Store
    from tagger.domain.decision import LabelDecision, Policy
    from tagger.domain.strategy import Progress


AT_ONCE = 1024
"""Issues scored in one go, in batches of like length: enough to fill them, few enough that memory
stays flat and that one sees how far it has come."""


@dataclass(frozen=True, slots=True)
class IssueToTag:
    """An issue to be tagged."""

    number: int
    title: str
    text: IssueText


@dataclass(frozen=True, slots=True)
class IssuePrediction:
    """Every label of the release for one issue, by falling score."""

    number: int
    title: str
    labels: tuple[LabelDecision, ...]

    def as_json(self) -> dict[str, Any]:
        """As in `tag --json`."""
        return {"number": self.number, "labels": [label.as_json() for label in self.labels]}


def active_release(store: Store, cache: ReleaseCache, repository: str) -> LoadedRelease:
    """The release that serves, loaded.

    :raises NotStored: the repository was never imported or synced.
    :raises CommandRefused: none serves.
    :raises ReleaseDamaged: its files are missing or changed.
    """
    with store.read() as work:
        repository_id = work.repositories.get(repository).id
    loaded_release = cache.active(repository_id)
    if loaded_release is None:
        raise CommandRefused(
            f"{repository} has no active release; issue-tagger retrain {repository} makes one"
        )
    return loaded_release


def stored_questions(
    store: Store, repository: str, numbers: Sequence[int]
) -> tuple[IssueToTag, ...]:
    """Issues as filed, in the order asked for.

    :raises CommandRefused: naming the issues that are not stored.
    """
    return tuple(
        IssueToTag(
            issue.number,
            issue.filed_title,
            IssueText.of(issue.filed_title, issue.filed_body, place=issue.place),
        )
        for issue in stored_issues(store, repository, numbers)
    )


@contextmanager
def questions_of_file(
    path: Path, progress: Progress = silent
) -> Iterator[tuple[Iterator[IssueToTag], int]]:
    """Every issue of a file, which need not be stored, and how many there are.

    The file is read twice: once to see that each row of it can be used, before the first one is
    tagged, and then for its issues, one at a time.

    :raises CommandRefused: the file cannot be read, or a row of it is no issue.
    """
    with _readable_twice(path) as file:
        total = sum(1 for _ in _questions(file, path, progress))
        yield _questions(file, path, silent), total


@contextmanager
def _readable_twice(path: Path) -> Iterator[Path]:
    """The file itself, or a copy of what comes out of a pipe."""
    if path.is_file():
        yield path
        return
    with NamedTemporaryFile(prefix="issue-tagger-") as copy, path.open("rb") as pipe:
        copyfileobj(pipe, copy)
        copy.flush()
        yield Path(copy.name)


def _questions(file: Path, named: Path, progress: Progress) -> Iterator[IssueToTag]:
    for row in read_issues(file, progress):
        if isinstance(row, BadRow):
            raise CommandRefused(f"{replace(row, file=named.name)}; nothing was tagged")
        record = row.record
        text = IssueText.of(record.title, record.body)
        yield IssueToTag(record.number, record.title, text)


def policy(store: Store, repository: str, labels: Sequence[str]) -> Policy:
    """What the repository's configuration, as last read, asks of decisions on these labels."""
    with store.read() as work:
        stored = work.repositories.get(repository)
        configuration = configuration_in(work, stored)
        renames = work.labels.renames(stored.id)
    return policy_for(configuration or RepositoryConfiguration.absent(), labels, renames)


def tag(
    release: TaggingRelease,
    questions: Iterable[IssueToTag],
    total: int,
    wanted: Policy,
    progress: Progress = silent,
) -> Iterator[IssuePrediction]:
    """Score every label of the release for every issue, in the order asked.

    Some issues are scored at a time, and none is held once its answer is out.

    :param total: how many questions there are.
    """
    coming, done = iter(questions), 0
    while some := list(islice(coming, AT_ONCE)):
        decided = release.tag([question.text for question in some], wanted)
        done += len(some)
        progress("tagging", done, total)
        for question, labels in zip(some, decided, strict=True):
            decisions = tuple(label.without(question.number) for label in labels)
            yield IssuePrediction(question.number, question.title, decisions)
