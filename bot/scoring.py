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

    from bot.release_shelf import OnShelf
    from tagger.decision import LabelDecision, Policy
    from tagger.issue import IssueText

MOST_TOGETHER = 16


@dataclass(frozen=True, eq=False)
class _Waiting:
    shelved: OnShelf
    issue: IssueText
    policy: Policy
    future: asyncio.Future[tuple[LabelDecision, ...]]

    def goes_with(self, other: _Waiting) -> bool:
        return self.shelved is other.shelved and self.policy == other.policy


class Scoring:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._going: asyncio.Task[None] | None = None

    async def tag(
        self, shelved: OnShelf, issue: IssueText, policy: Policy
    ) -> tuple[LabelDecision, ...]:
        """What the release decides on one issue; raises what the release raises."""
        future: asyncio.Future[tuple[LabelDecision, ...]]
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(shelved, issue, policy, future))
        if self._going is None or self._going.done():
            self._going = asyncio.create_task(self._go_on())
        return await future

    async def _go_on(self) -> None:
        while self._waiting:
            together = [one for one in self._waiting if one.goes_with(self._waiting[0])]
            together = together[:MOST_TOGETHER]
            self._waiting = [one for one in self._waiting if one not in together]
            await self._score([one for one in together if not one.future.done()])

    async def _score(self, together: Sequence[_Waiting]) -> None:
        if not together:
            return
        first = together[0]
        try:
            issues = [one.issue for one in together]
            found = await asyncio.to_thread(_tag, first.shelved, issues, first.policy)
        except Exception as error:
            if len(together) == 1:
                _fail(first, error)
                return
            for one in together:  # one of them is to blame: the others must not suffer
                await self._score([one])
            return
        for one, decisions in zip(together, found, strict=True):
            if not one.future.done():  # whoever asked has gone away
                one.future.set_result(tuple(decisions))


def _tag(
    shelved: OnShelf, issues: Sequence[IssueText], policy: Policy
) -> Sequence[Sequence[LabelDecision]]:
    with shelved.using:
        try:
            return shelved.release.tag(issues, policy)
        except ReleaseDamaged:
            shelved.unsound.set()
            raise


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
