"""One issue being worked on, with all that is known before GitHub is looked at again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.advising.advice import NO_ADVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.advising.advice import Advice
    from bot.configuration import RepositoryConfiguration
    from bot.github.client import GitHubClient
    from bot.labelling.issue_lease import IssueLease
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedDelivery, Repository, StoredIssue
    from store.unit_of_work import UnitOfWork


RETRY = "retry"
"""An action of `issues` that is none of GitHub's: a person asked for the issue to be tagged."""


@dataclass(frozen=True)
class Subject:
    """The issue in question, its repository, and the labels renamed in it (folded → present)."""

    repository: Repository
    issue: StoredIssue
    renames: Mapping[str, str]


@dataclass(frozen=True)
class IssueJob:
    """Work on one issue.

    :ivar claim: the delivery that asks for it; None where none does, as in a backfill.
    :ivar client: None where there are no credentials; then nothing is written.
    :ivar run_id: the run that what is written belongs to; None: the delivery's own.
    :ivar lease: the right to write on the issue, held while it is looked at and written on.
    :ivar advice: what is said of the issue beside its labels.
    :ivar may_comment: whether it may suggest labels in a comment, where the rules allow it.
    """

    context: HandlerContext
    claim: ClaimedDelivery | None
    subject: Subject
    configuration: RepositoryConfiguration
    client: GitHubClient | None
    run_id: int | None = None
    lease: IssueLease | None = None
    may_comment: bool = True
    advice: Advice = NO_ADVICE

    def on_its_kind(self) -> IssueJob:
        """The job with a client that speaks of the kind that the issue is of."""
        client = self.client and self.client.labelling(self.subject.issue.target)
        return replace(self, client=client)

    def end(self, work: UnitOfWork, now: datetime) -> None:
        """End the delivery, where there is one, and let the next writer have the issue."""
        if self.claim is not None:
            work.inbox.finish(self.claim, now)
        if self.lease is not None:
            self.lease.end(work)

    @property
    def delivery_id(self) -> int | None:
        return self.claim.id if self.claim else None

    @property
    def was_tried(self) -> bool:
        """Whether an earlier attempt may have written something."""
        return self.run_id is not None or (self.claim is not None and self.claim.attempts > 1)

    @property
    def is_retry(self) -> bool:
        """Whether a person has asked for the issue to be taken up again."""
        return self.claim is not None and self.claim.action == RETRY

    @property
    def by_present_text(self) -> bool:
        """Whether the issue is scored as it is now, and not as it was filed."""
        return self.claim is not None and self.claim.action in {"edited", RETRY}

    @property
    def full_name(self) -> str:
        return self.subject.repository.full_name

    @property
    def number(self) -> int:
        return self.subject.issue.number
