"""What a job on a delivery works with, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.github.models import User, parse
from bot.model_serving.batch_scoring import Scoring
from bot.process.recent_values import RecentValues

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.advising.advisor import Advisor
    from bot.github.access import Access
    from bot.github.client import GitHubClient
    from bot.model_serving.release_cache import ReleaseCache
    from bot.operations.metrics import Metrics
    from store.database import Store
    from store.records import ClaimedDelivery, Repository

End = Literal["done", "ignored", "postponed"]


@dataclass(frozen=True)
class Ending:
    """How the work on a delivery ended; `reason` where there was none to do, or not yet."""

    end: End
    reason: str = ""


@dataclass(frozen=True)
class HandlerContext:
    """Everything that a job draws on.

    :ivar access: None where there are no credentials; then nothing is asked of GitHub.
    :ivar clock: aware datetimes.
    :ivar advisor: what is said of issues beside their labels; None: nothing is.
    :ivar question_contexts: `bot.labelling.questions.QuestionContext` of repositories.
    """

    store: Store
    cache: ReleaseCache
    metrics: Metrics
    access: Access | None
    clock: Callable[[], datetime]
    scoring: Scoring = field(default_factory=Scoring)
    question_contexts: RecentValues[Any] = field(default_factory=RecentValues)
    advisor: Advisor | None = None

    async def client(self, claim: ClaimedDelivery, repository: Repository) -> GitHubClient | None:
        """Who speaks for the repository of this delivery."""
        if self.access is None:
            return None
        return await self.access.client(repository.full_name, installation_of(claim.payload))

    async def own_login(self) -> str | None:
        """The login under which the bot acts."""
        return await self.access.login() if self.access else None

    async def finish(self, claim: ClaimedDelivery) -> Ending:
        """The delivery is done and left nothing to record."""
        await asyncio.to_thread(self._end, claim, None)
        return Ending("done")

    async def ignore(self, claim: ClaimedDelivery, reason: str) -> Ending:
        """There is nothing to do about this delivery."""
        await asyncio.to_thread(self._end, claim, reason)
        return Ending("ignored", reason)

    async def postpone(self, claim: ClaimedDelivery, until: datetime, reason: str) -> Ending:
        """The delivery goes back to the inbox, due at `until`; this was no attempt."""
        await asyncio.to_thread(self._hand_back, claim, until)
        return Ending("postponed", reason)

    def _end(self, claim: ClaimedDelivery, ignored_because: str | None) -> None:
        with self.store.begin() as work:
            ignored = ignored_because is not None
            work.inbox.finish(claim, self.clock(), ignored=ignored, reason=ignored_because)

    def _hand_back(self, claim: ClaimedDelivery, until: datetime) -> None:
        with self.store.begin() as work:
            work.inbox.release(claim, until)


def installation_of(payload: dict[str, Any]) -> int | None:
    """The App's installation that a payload came through, None for a repository's own webhook."""
    installation = payload.get("installation")
    installation_id = installation.get("id") if isinstance(installation, dict) else None
    return installation_id if isinstance(installation_id, int) else None


def sender_of(claim: ClaimedDelivery) -> User | None:
    """Who caused a delivery."""
    sender = claim.payload.get("sender")
    return parse(User, sender, "sender") if isinstance(sender, dict) else None


def repository_of(context: HandlerContext, claim: ClaimedDelivery) -> Repository | None:
    """The delivery's repository, also where it was renamed since and another has its name."""
    reference = claim.payload.get("repository")
    github_id = reference.get("id") if isinstance(reference, dict) else None
    with context.store.read() as work:
        return work.repositories.find(claim.repository or "", github_id=github_id)
