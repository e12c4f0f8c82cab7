"""What a person may do in a repository: nothing, decide on labels, or change what labels."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.github.errors import Forbidden, Gone, Moved, NotFound, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import GitHubRepository

KeyT = TypeVar("KeyT")
AnswerT = TypeVar("AnswerT")

FRESH_FOR = timedelta(minutes=5)
MAX_ANSWERS = 20_000
"""Answers kept; the one used longest ago goes first."""


class Role(IntEnum):
    """In rising order: each may do what those before it may."""

    NONE = 0
    TRIAGE = 1
    ADMIN = 2


class SignInExpired(Exception):
    """GitHub takes the person's token no more: they are to sign in again."""


class FreshAnswers(Generic[KeyT, AnswerT]):
    """Answers that are kept for `FRESH_FOR`, of bounded number. For one event loop."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._answers: OrderedDict[KeyT, tuple[datetime, AnswerT]] = OrderedDict()

    def get(self, key: KeyT) -> AnswerT | None:
        """The answer, where there is a fresh one."""
        if key not in self._answers:
            return None
        at, answer = self._answers[key]
        return answer if abs(self._clock() - at) < FRESH_FOR else None

    def keep(self, key: KeyT, answer: AnswerT) -> AnswerT:
        """Keep an answer, and hand it back."""
        self._answers[key] = self._clock(), answer
        self._answers.move_to_end(key)
        while len(self._answers) > MAX_ANSWERS:
            self._answers.popitem(last=False)
        return answer


class AskedRoles:
    """Asks GitHub, under the person's own token, and keeps the answers for minutes.

    Whether this installation knows a repository plays no part in the question, so neither the
    answer nor the time it takes tells of it.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._answers: FreshAnswers[tuple[str, str], Role] = FreshAnswers(clock)
        self._lists: FreshAnswers[str, dict[str, Role]] = FreshAnswers(clock)

    async def of(self, client: GitHubClient, token: str, repository: str) -> Role:
        """What whoever the token belongs to may do in the repository.

        :param client: speaks with that token.
        :raises SignInExpired: GitHub does not take the token.
        :raises GitHubError: GitHub could not be asked.
        """
        key = _digest(token), repository.casefold()
        cached = self._answers.get(key)
        if cached is not None:
            return cached
        try:
            role = _role(await client.repository(repository))
        except Unauthorized:
            raise SignInExpired from None
        except (NotFound, Forbidden, Gone, Moved, ValueError):
            role = Role.NONE
        return self._answers.keep(key, role)

    async def everywhere(self, client: GitHubClient, token: str) -> dict[str, Role]:
        """By folded name, the repositories of the App's installations that the person may label in.

        :raises SignInExpired: GitHub does not take the token.
        """
        key = _digest(token)
        cached = self._lists.get(key)
        if cached is not None:
            return cached
        try:
            roles = {
                repository.full_name.casefold(): _role(repository)
                for installation in await client.my_installations()
                for repository in await client.my_repositories(installation.id)
            }
        except Unauthorized:
            raise SignInExpired from None
        shown = {name: role for name, role in roles.items() if role > Role.NONE}
        return self._lists.keep(key, shown)


def _role(repository: GitHubRepository) -> Role:
    if repository.allows("admin"):
        return Role.ADMIN
    able = ("triage", "push", "maintain")
    return Role.TRIAGE if any(map(repository.allows, able)) else Role.NONE


def _digest(token: str) -> str:
    """So that no token lies about as a key."""
    return hashlib.sha256(token.encode()).hexdigest()
