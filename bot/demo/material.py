"""What the demonstration plays with: issues to learn from, and a few never seen before."""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import as_file
from typing import TYPE_CHECKING

from bot import sample
from bot.errors import CommandRefused
from bot.repositories.issue_files import BadRow, read_issues, read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bot.repositories.issue_files import FileRow
    from store.records import IssueRecord, LabelRecord
    from tagger.domain.strategy import Progress

UNSEEN = 12
"""Issues that are kept back and filed anew, one webhook each."""


@dataclass(frozen=True)
class Material:
    """Issues and labels for one demonstration.

    :ivar unseen: kept back from learning, the oldest first.
    :ivar right: by issue number, the labels that people gave the issues kept back.
    :ivar source: where the issues come from, for people.
    """

    repository: str
    known: tuple[FileRow, ...] = field(repr=False)
    labels: tuple[LabelRecord, ...]
    unseen: tuple[IssueRecord, ...] = field(repr=False)
    right: Mapping[int, frozenset[str]]
    source: str


def from_sample(progress: Progress) -> Material:
    """The invented repository that travels with the package."""
    with ExitStack() as stack:
        issues = stack.enter_context(as_file(sample.issues()))
        labels = stack.enter_context(as_file(sample.labels()))
        rows = tuple(_good(issues, progress))
        expected = sample.expected()
        right = {number: expected[number] for number in _spread(sorted(expected), UNSEEN)}
        source = "an invented repository that travels with issue-tagger"
        return _parted(sample.REPOSITORY, rows, read_labels(labels), right, source)


def from_file(path: Path, repository: str, progress: Progress) -> Material:
    """A file of real issues: the newest labelled ones are kept back.

    A file of labels beside it (`X.labels.json` for `X.jsonl.gz`) is used, if there is one.

    :raises CommandRefused: the file cannot be read, or has too few labelled issues.
    """
    rows = tuple(_good(path, progress))
    labelled = [row.record for row in rows if row.record.labels and not row.record.is_pull_request]
    if len(labelled) < 2:
        raise CommandRefused(
            f"{path} has {len(labelled)} labelled issues; the demonstration needs one to learn "
            "from and one to show"
        )
    newest = heapq.nlargest(
        min(UNSEEN, len(labelled) // 2), labelled, key=lambda issue: issue.number
    )
    right = {issue.number: frozenset(issue.labels) for issue in newest}
    beside = path.with_name(f"{path.name.split('.jsonl')[0]}.labels.json")
    labels = read_labels(beside) if beside.is_file() else ()
    return _parted(repository, rows, labels, right, path.name)


def _good(path: Path, progress: Progress) -> Iterator[FileRow]:
    return (row for row in read_issues(path, progress) if not isinstance(row, BadRow))


def _parted(
    repository: str,
    rows: tuple[FileRow, ...],
    labels: tuple[LabelRecord, ...],
    right: Mapping[int, frozenset[str]],
    source: str,
) -> Material:
    """Keep back the issues that `right` names."""
    kept_back = sorted(
        (row.record for row in rows if row.record.number in right), key=lambda record: record.number
    )
    return Material(
        repository,
        tuple(row for row in rows if row.record.number not in right),
        labels,
        tuple(kept_back),
        right,
        source,
    )


def _spread(numbers: list[int], count: int) -> list[int]:
    """So many of them, evenly spread."""
    step = max(len(numbers) / count, 1)
    return [numbers[int(place * step)] for place in range(min(count, len(numbers)))]
