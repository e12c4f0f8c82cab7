"""Whoever looks at the pages or asks the API: what they may see, and in whose name they act."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.github.errors import NotFound
from bot.signin.roles import Role

if TYPE_CHECKING:
    from bot.github.access import Access
    from bot.github.client import GitHubClient
    from bot.signin.roles import AskedRoles

HERE = "local"
"""The login under which decisions are kept of who opened the pages on this machine."""


class Viewer(Protocol):
    """Anyone who was let in.

    :ivar login: under which decisions are kept.
    :ivar csrf: what forms and writing requests of a browser must hold; "" where no browser is
        involved, and nothing is sent along unasked.
    """

    @property
    def login(self) -> str: ...

    @property
    def csrf(self) -> str: ...

    async def role(self, repository: str) -> Role:
        """What they may do in "OWNER/NAME"."""

    async def everywhere(self) -> dict[str, Role] | None:
        """By name, every repository that they may decide in; None: all that there are."""

    async def client(self, repository: str) -> GitHubClient | None:
        """Acts on GitHub for them; None where there are no credentials, or GitHub is not in it."""


@dataclass(frozen=True)
class LocalViewer:
    """Who opened the pages on the machine that holds the database: may do everything.

    :ivar access: acts in the bot's name; None without credentials.
    """

    csrf: str
    access: Access | None = field(default=None, repr=False)
    login: str = HERE

    async def role(self, repository: str) -> Role:  # noqa: ARG002 - everywhere the same
        return Role.ADMIN

    async def everywhere(self) -> dict[str, Role] | None:
        return None

    async def client(self, repository: str) -> GitHubClient | None:
        return await _of_bot(self.access, repository)


@dataclass(frozen=True)
class TokenViewer:
    """A script: may do in one repository what its token says."""

    name: str
    repository: str
    allowed: Role
    access: Access | None = field(default=None, repr=False)
    csrf: str = ""

    @property
    def login(self) -> str:
        return f"token {self.name}"

    async def role(self, repository: str) -> Role:
        same = repository.casefold() == self.repository.casefold()
        return self.allowed if same else Role.NONE

    async def everywhere(self) -> dict[str, Role] | None:
        return {self.repository: self.allowed}

    async def client(self, repository: str) -> GitHubClient | None:
        return await _of_bot(self.access, repository)


@dataclass(frozen=True)
class GitHubViewer:
    """A person who signed in through the App: may do what GitHub lets them.

    :ivar person: speaks with the person's own token.
    """

    login: str
    csrf: str
    person: GitHubClient = field(repr=False)
    token: str = field(repr=False)
    roles: AskedRoles = field(repr=False)

    async def role(self, repository: str) -> Role:
        return await self.roles.of(self.person, self.token, repository)

    async def everywhere(self) -> dict[str, Role] | None:
        return await self.roles.everywhere(self.person, self.token)

    async def client(self, repository: str) -> GitHubClient | None:  # noqa: ARG002 - one token
        return self.person


async def _of_bot(access: Access | None, repository: str) -> GitHubClient | None:
    """The bot's client; None where it may not act in the repository, as with imported files."""
    if access is None:
        return None
    try:
        return await access.client(repository)
    except NotFound:
        return None
