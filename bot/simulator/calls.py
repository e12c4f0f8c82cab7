"""One request to the simulator, who sends it, and the reply: without any HTTP framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from bot.simulator.records import ROLES, SimulatedRepository, SimulatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.simulator.apps import SimulatedApp, SimulatedInstallation
    from bot.simulator.state import GitHubState

_DEFAULT_PAGE = 30
_MAX_PAGE = 100
# What a person needs for what an App calls a permission.
_ROLE_FOR = {
    ("metadata", "read"): "read",
    ("contents", "read"): "read",
    ("issues", "read"): "read",
    ("pull_requests", "read"): "read",
    ("discussions", "read"): "read",
    ("discussions", "write"): "triage",
    ("issues", "write"): "triage",
    ("comments", "write"): "read",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request: a person by token, an App by JWT, an installation, or nobody."""

    login: str = ""
    app: SimulatedApp | None = None
    installation: SimulatedInstallation | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if self.data is None:
            return b""
        if isinstance(self.data, str):
            return self.data.encode()
        return json.dumps(self.data).encode()


Handler: TypeAlias = "Callable[[Call], Reply]"
Route: TypeAlias = tuple[str, str, Handler]  # method, path pattern, what answers


@dataclass(frozen=True, slots=True)
class Call:
    """What a route gets to work with.

    :ivar url: the whole URL without its query, for Link headers.
    :ivar base_url: the API's root, for links in bodies.
    """

    state: GitHubState
    identity: Identity
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    url: str
    base_url: str

    @property
    def full_name(self) -> str:
        return f"{self.path['owner']}/{self.path['name']}"

    @property
    def number(self) -> int:
        return self.integer("number")

    def integer(self, name: str) -> int:
        """:raises StandInError: 404 for a path part that is no number."""
        try:
            return int(self.path[name])
        except ValueError:
            raise SimulatorError(404, "Not Found") from None

    def field(self, name: str) -> Any:
        """A field of the JSON body that must be there. :raises StandInError: 422."""
        if not isinstance(self.json, dict) or name not in self.json:
            raise SimulatorError(422, f'Invalid request. "{name}" wasn\'t supplied.')
        return self.json[name]

    def asset(self, permission: str, level: str) -> SimulatedRepository:
        """The repository of the path, if the sender may do this there.

        :raises StandInError: 404 where it is not visible, 401 or 403 where it is.
        """
        repository = self.state.repository(self.full_name)
        if self.identity.installation is not None:
            self._check_installation(repository, permission, level)
        elif (permission, level) not in _ROLE_FOR:
            raise SimulatorError(403, "You must authenticate via a GitHub App.")
        else:
            self._check_role(repository, _ROLE_FOR[permission, level], level)
        return repository

    def may_write(self, repository: SimulatedRepository) -> bool:
        """Whether the sender may write in a conversation that is locked."""
        role = repository.role(self.identity.login)
        return self.identity.installation is not None or ROLES.index(role) >= ROLES.index("write")

    def _check_installation(
        self, repository: SimulatedRepository, permission: str, level: str
    ) -> None:
        installation = self.identity.installation
        if installation is None or not installation.covers(repository):
            raise SimulatorError(404, "Not Found")
        granted = installation.permissions.get("issues" if permission == "comments" else permission)
        if granted not in {"write", level}:
            raise SimulatorError(403, "Resource not accessible by integration")

    def _check_role(self, repository: SimulatedRepository, needed: str, level: str) -> None:
        role = repository.role(self.identity.login)
        if role == "none":
            raise SimulatorError(404, "Not Found")
        if level == "write" and not self.identity.login:
            raise SimulatorError(401, "Requires authentication")
        if ROLES.index(role) < ROLES.index(needed):
            raise SimulatorError(403, "Must have triage rights to Repository.")

    def page(self, items: Sequence[Any], key: str = "", counter: str = "page") -> Reply:
        """The page asked for, with a Link header to the next one.

        :param key: GitHub wraps a few lists in an object, under this name.
        :param counter: the query parameter that says which page.
        """
        size = min(self._whole_number("per_page", _DEFAULT_PAGE), _MAX_PAGE)
        page = self._whole_number(counter, 1)
        shown = list(items[(page - 1) * size : page * size])
        headers = {}
        if page * size < len(items):
            query = urlencode({**self.query, counter: page + 1})
            headers["link"] = f'<{self.url}?{query}>; rel="next"'
        data = {"total_count": len(items), key: shown} if key else shown
        return Reply(200, data, headers)

    def _whole_number(self, name: str, default: int) -> int:
        value = self.query.get(name, "")
        return max(int(value), 1) if value.isdigit() else default
