"""One call of a model at a time; issues that wait meanwhile are scored together in the next one.

Several deliveries are in hand at once, and two calls at a time would fight for the processors.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model_serving.release_cache import LoadedRelease
    from tagger.domain.decision import LabelDecision, Policy
    from tagger.domain.issue import IssueText

MAX_TOGETHER = 16


@dataclass(frozen=True, eq=False)
class _PendingIssue:
    cached: LoadedRelease
    issue: IssueText
    policy: Policy
    future: asyncio.Future[tuple[LabelDecision, ...]]

    def goes_with(self, other: _PendingIssue) -> bool:
        return self.cached is other.cached and self.policy == other.policy


class Scoring:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_PendingIssue] = []
        self._going: asyncio.Task[None] | None = None

    async def tag(
        self, cached: LoadedRelease, issue: IssueText, policy: Policy
    ) -> tuple[LabelDecision, ...]:
        """What the release decides on one issue; raises what the release raises."""
        future: asyncio.Future[tuple[LabelDecision, ...]]
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_PendingIssue(cached, issue, policy, future))
        if self._going is None or self._going.done():
            self._going = asyncio.create_task(self._go_on())
        return await future

    async def _go_on(self) -> None:
        while self._waiting:
            together = [
                pending_issue
                for pending_issue in self._waiting
                if pending_issue.goes_with(self._waiting[0])
            ]
            together = together[:MAX_TOGETHER]
            self._waiting = [
                pending_issue for pending_issue in self._waiting if pending_issue not in together
            ]
            await self._score(
                [pending_issue for pending_issue in together if not pending_issue.future.done()]
            )

    async def _score(self, together: Sequence[_PendingIssue]) -> None:
        if not together:
            return
        first = together[0]
        try:
            issues = [pending_issue.issue for pending_issue in together]
            decisionses = await asyncio.to_thread(_tag, first.cached, issues, first.policy)
        except Exception as error:
            if len(together) == 1:
                _fail(first, error)
                return
            for pending_issue in together:  # one of them is to blame: the others must not suffer
                await self._score([pending_issue])
            return
        for pending_issue, decisions in zip(together, decisionses, strict=True):
            if not pending_issue.future.done():  # whoever asked has gone away
                pending_issue.future.set_result(tuple(decisions))


def _tag(
    cached: LoadedRelease, issues: Sequence[IssueText], policy: Policy
) -> Sequence[Sequence[LabelDecision]]:
    with cached.using:
        try:
            return cached.release.tag(issues, policy)
        except ReleaseDamaged:
            cached.unsound.set()
            raise


def _fail(waiting: _PendingIssue, error: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
