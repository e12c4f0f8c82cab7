"""What strategies read and learn from: an issue's text, a label, a training set."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tagger.text.cleaning import LATEST, clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


MAX_FILED = 100_000
"""Characters of a title or body that any version of cleaning reads."""

_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Filed:
    """An issue's text as GitHub has it, and the version that it was cleaned with."""

    title: str
    body: str
    cleaning: int


@dataclass(frozen=True, slots=True)
class IssueText:
    """The words of one issue as filed, cleaned once on the way in (see `IssueText.of`).

    :ivar filed: what it was cleaned from, and the version of cleaning: for a release that was
        trained with another. None where it was not cleaned at all.
    """

    title: str
    body: str = ""
    filed: Filed | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        title: str | None,
        body: str | None,
        cleaning: int = LATEST,
        *,
        place: Sequence[str] = (),
    ) -> IssueText:
        """Build from GitHub's fields: null bodies, NUL bytes and 1 MB of log are all fine.

        :param place: files that a pull request changes, or a discussion's category; they end its
            body, as words.
        """
        body = f"{body or ''}\n\n{words_of(place)}" if place else body
        filed = Filed((title or "")[:MAX_FILED], (body or "")[:MAX_FILED], cleaning)
        return cls(*clean(filed.title, filed.body, cleaning), filed)

    def cleaned(self, cleaning: int) -> IssueText:
        """The same issue as a release of this version of cleaning reads it."""
        if self.filed is None or self.filed.cleaning == cleaning:
            return self
        return IssueText.of(self.filed.title, self.filed.body, cleaning)

    @property
    def full(self) -> str:
        """Title, blank line, body: what encoders and vectorizers read."""
        return f"{self.title}\n\n{self.body}" if self.body else self.title


def words_of(paths: Iterable[str]) -> str:
    """Paths as words, a line each.

    >>> words_of(["docs/how_to.md"])
    'docs how to md'
    """
    return "\n".join(_NO_WORD.sub(" ", path).strip() for path in paths)


@dataclass(frozen=True, slots=True)
class Label:
    """A label as maintainers name and describe it; `aliases` are further wordings."""

    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingSet:
    """Labelled issues and, beside them, texts of the same repository that nobody labelled.

    :ivar labels: the label set, in the order of `targets`' columns.
    :ivar numbers: issue numbers, one for each labelled issue.
    :ivar issues: the labelled issues' texts.
    :ivar targets: *Shape:* (n_issues, n_labels), bool: which issue carries which label.
    :ivar unlabelled: further issues and pull requests: texts to adapt to.
    :ivar recent: what issues to come will look like: the latest ones, labelled or not. Members
        are measured against them, since an old backlog may be of another kind.
    """

    labels: tuple[Label, ...]
    numbers: tuple[int, ...]
    issues: tuple[IssueText, ...]
    targets: NDArray[np.bool_]
    unlabelled: tuple[IssueText, ...] = field(default=(), repr=False)
    recent: tuple[IssueText, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        expected = (len(self.issues), len(self.labels))
        if self.targets.shape != expected or len(self.numbers) != len(self.issues):
            raise ValueError(
                f"targets have shape {self.targets.shape} and numbers {len(self.numbers)}, "
                f"expected {expected} and {len(self.issues)}"
            )

    def __len__(self) -> int:
        return len(self.issues)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @property
    def positives(self) -> NDArray[np.int_]:
        """Labelled examples of each label. *Shape:* (n_labels,)"""
        return np.asarray(self.targets.sum(axis=0), dtype=int)

    @property
    def corpus(self) -> tuple[IssueText, ...]:
        """All distinct texts, those that stand for issues to come first."""
        return tuple(dict.fromkeys((*self.recent, *self.issues, *self.unlabelled)))

    def subset(self, rows: Sequence[int] | NDArray[np.int_]) -> TrainingSet:
        """The same labels and unlabelled texts with only these rows of labelled issues."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            numbers=tuple(self.numbers[row] for row in chosen),
            issues=tuple(self.issues[row] for row in chosen),
            targets=self.targets[chosen],
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over labels, texts and targets: the same data gives the same fingerprint."""
        digest = hashlib.sha256()
        for label in self.labels:
            digest.update(repr((label.name, label.description, label.aliases)).encode())
        for number, issue, row in zip(self.numbers, self.issues, self.targets, strict=True):
            digest.update(repr((number, issue.title, issue.body)).encode())
            digest.update(np.packbits(row).tobytes())
        digest.update(corpus_fingerprint(self.unlabelled).encode())
        digest.update(corpus_fingerprint(self.recent).encode())
        return digest.hexdigest()


def corpus_fingerprint(texts: Sequence[IssueText]) -> str:
    """SHA-256 over texts in their order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(repr((text.title, text.body)).encode())
    return digest.hexdigest()
