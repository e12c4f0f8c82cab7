"""Issues, pull requests and discussions: as they come in, as kept, and to learn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from store.records.issue_fields import field_target
from store.records.issue_types import type_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


TargetKind = Literal["issues", "pull_requests", "discussions"]
"""What is labelled: what was learned from one kind need not hold for another."""

OTHER_KINDS: tuple[TargetKind, ...] = ("pull_requests", "discussions")
"""What may be labelled beside issues."""


def target_of(*, is_pull_request: bool, category: str | None) -> TargetKind:
    if category is not None:
        return "discussions"
    return "pull_requests" if is_pull_request else "issues"


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """An issue, pull request or discussion as it came in.

    :ivar filed_title: the title as filed, where an `edited` payload tells it (`changes.title`);
        None: the present title, unless the store knows an earlier one. `filed_body` likewise.
    :ivar locked: the conversation; None where it is not told, as in a file. `type` likewise: the
        name of the native type, "" for none. `fields`: single-select field → value.
    :ivar category: of a discussion, by its name; None for what is none.
    """

    number: int
    title: str
    body: str
    labels: tuple[str, ...]
    created_at: datetime
    is_pull_request: bool = False
    state: str = "open"
    author: str | None = None
    author_association: str | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    filed_title: str | None = None
    filed_body: str | None = None
    github_id: int | None = None
    locked: bool | None = None
    type: str | None = None
    fields: Mapping[str, str] | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """An issue as kept: as filed and as it is now.

    :ivar type: name of its native type, "" for none.
    :ivar fields: its single-select fields, each with its value.
    :ivar answer_comment_id: the bot's comment that answers commands; `BEING_MADE`; None for none.
    :ivar suggestion_comment_id: the bot's comment that suggests labels; None for none.
    :ivar opted_out_at: when a person last said that the bot is to leave the issue alone.
    :ivar opted_in_at: when a person last asked the bot to label it again.
    :ivar paths: files that a pull request changes, as last read; None where nobody read them.
    :ivar category: of a discussion, by its name; None for what is none.
    """

    id: int
    repository_id: int
    number: int
    is_pull_request: bool
    filed_title: str
    filed_body: str = field(repr=False)
    title: str
    body: str = field(repr=False)
    labels: tuple[str, ...]
    state: str
    author: str | None
    author_association: str | None
    created_at: datetime
    updated_at: datetime | None
    closed_at: datetime | None
    locked: bool
    type: str
    github_id: int | None = None
    answer_comment_id: int | None = None
    suggestion_comment_id: int | None = None
    opted_out_at: datetime | None = None
    opted_in_at: datetime | None = None
    paths: tuple[str, ...] | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)
    category: str | None = None

    @property
    def target(self) -> TargetKind:
        return target_of(is_pull_request=self.is_pull_request, category=self.category)

    @property
    def place(self) -> tuple[str, ...]:
        """What is read beside its words: the files it changes, or the category it is in."""
        return _place(self.paths, self.category)

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels, and the targets of its type and its fields where it has any."""
        types = (type_target(self.type),) if self.type else ()
        values = (field_target(name, value) for name, value in self.fields.items())
        return (*self.labels, *types, *values)


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert did.

    A row older than what is stored, or of an issue that was deleted, counts as unchanged.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        return UpsertCounts(
            self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged
        )


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """An issue as filed with what may be learned from its labels.

    :ivar labels: on the issue now and set or confirmed by a person.
    :ivar unconfirmed: on the issue now, set by a bot, confirmed by nobody.
    :ivar refused: taken off or dismissed by a person.
    :ivar declined: those of them that this bot had set or suggested: explicit negatives.
    :ivar paths: files that a pull request changes, where they were read.
    :ivar category: of a discussion, by its name; None for what is none.
    """

    number: int
    title: str
    body: str = field(repr=False)
    labels: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    refused: tuple[str, ...]
    is_pull_request: bool
    author: str | None
    created_at: datetime
    declined: tuple[str, ...] = ()
    paths: tuple[str, ...] = field(default=(), repr=False)
    category: str | None = None

    @property
    def target(self) -> TargetKind:
        return target_of(is_pull_request=self.is_pull_request, category=self.category)

    @property
    def place(self) -> tuple[str, ...]:
        """As `StoredIssue.place`."""
        return _place(self.paths, self.category)


def _place(paths: tuple[str, ...] | None, category: str | None) -> tuple[str, ...]:
    return (*(paths or ()), category) if category else paths or ()
