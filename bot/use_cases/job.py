"""One delivery being worked on, with all that is known before GitHub is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.use_cases.desk import Desk
    from store.records import ClaimedDelivery, Repository, StoredIssue


@dataclass(frozen=True)
class Subject:
    """The issue in question, its repository, and the labels renamed in it (folded → present)."""

    repository: Repository
    issue: StoredIssue
    renames: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """:ivar client: None where there are no credentials; then nothing is written."""

    desk: Desk
    claim: ClaimedDelivery
    subject: Subject
    configuration: RepositoryConfiguration
    client: GitHubClient | None

    @property
    def full_name(self) -> str:
        return self.subject.repository.full_name

    @property
    def number(self) -> int:
        return self.subject.issue.number
