"""What all parts of the simulator share: storage, ids, time, people, and their webhooks."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.github.api_version import API_VERSIONS
from bot.simulator.records import (
    Actor,
    Delivery,
    RequestSeen,
    SimulatedField,
    SimulatedIssue,
    SimulatedRepository,
    SimulatorError,
    SuggestionMode,
)
from bot.simulator.wire import installation_json, repository_json, user_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.simulator.apps import SimulatedApp, SimulatedInstallation
    from bot.simulator.faults import Fault, RequestBudget
    from bot.simulator.sign_in import SimulatedSignIn


class World:
    """Storage. Everything public takes and returns records; whoever acts is named by login.

    :ivar requests: the latest requests that reached the HTTP side.
    :ivar deliveries: the webhooks caused so far, oldest first, sent or not.
    :ivar issue_fields: by an organisation's login in small letters.
    :ivar faults: what the next requests get instead of an answer.
    :ivar api_versions: of REST that it knows; an old Enterprise Server knows fewer.
    :ivar url: the API's base URL, as it appears in payloads.
    :ivar browser_login: who is signed in to GitHub in the browser; "": nobody.
    :ivar user_tokens: the App that each token of a person who signed in belongs to.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        url: str = "https://api.github.com",
        remember: int = 100_000,
    ) -> None:
        self.clock = clock
        self.url = url
        self.lock = threading.RLock()
        self.actors: dict[str, Actor] = {}
        self.repositories: dict[str, SimulatedRepository] = {}
        self.issue_fields: dict[str, list[SimulatedField]] = {}
        self.renamed: dict[str, str] = {}
        self.tokens: dict[str, Actor] = {}
        self.user_tokens: dict[str, SimulatedApp] = {}
        self.sign_ins: dict[str, SimulatedSignIn] = {}
        self.browser_login = "maintainer"
        self.apps: dict[int, SimulatedApp] = {}
        self.installations: dict[int, SimulatedInstallation] = {}
        self.manifest_codes: dict[str, SimulatedApp] = {}
        self.deleted_issues: set[tuple[int, int]] = set()
        self.transferred_issues: dict[str, str] = {}
        self.requests: deque[RequestSeen] = deque(maxlen=remember)
        self.deliveries: deque[Delivery] = deque(maxlen=remember)
        self.faults: deque[Fault] = deque()
        self.budgets: dict[str, RequestBudget] = {}
        self.api_versions: frozenset[str] = frozenset(API_VERSIONS)
        self._ids = itertools.count(1001)

    def now(self) -> datetime:
        """GitHub's time, which knows whole seconds only."""
        return self.clock().replace(microsecond=0)

    def next_id(self) -> int:
        return next(self._ids)

    def actor(self, login: str) -> Actor:
        """The person or bot of that name, who signs up on first use."""
        with self.lock:
            if login not in self.actors:
                kind = "Bot" if login.endswith("[bot]") else "User"
                self.actors[login] = Actor(login, self.next_id(), kind)
            return self.actors[login]

    def add_token(self, token: str, login: str) -> Actor:
        """Let a personal access token speak for a login."""
        self.tokens[token] = self.actor(login)
        return self.tokens[token]

    def add_repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        suggestions: SuggestionMode = SuggestionMode.ON,
    ) -> SimulatedRepository:
        with self.lock:
            owner = self.actor(full_name.partition("/")[0])
            repository = SimulatedRepository(self.next_id(), full_name, owner, private=private)
            repository.suggestions = suggestions
            self.repositories[full_name.lower()] = repository
            return repository

    def repository(self, full_name: str) -> SimulatedRepository:
        """:raises StandInError: 404."""
        repository = self.repositories.get(full_name.lower())
        if repository is None:
            raise SimulatorError(404, "Not Found")
        return repository

    def issue(self, full_name: str, number: int) -> SimulatedIssue:
        """:raises StandInError: 404, or 410 for a deleted issue."""
        repository = self.repository(full_name)
        issue = repository.issues.get(number)
        if issue is not None:
            return issue
        if (repository.id, number) in self.deleted_issues:
            raise SimulatorError(410, "This issue was deleted")
        raise SimulatorError(404, "Not Found")

    def installation_of(self, repository: SimulatedRepository) -> SimulatedInstallation | None:
        covering = (
            installation
            for installation in self.installations.values()
            if installation.covers(repository)
        )
        return next(covering, None)

    def emit(
        self,
        event: str,
        by: str,
        repository: SimulatedRepository | None,
        content: dict[str, Any],
        installation: SimulatedInstallation | None = None,
    ) -> Delivery:
        """Record the webhook that GitHub would send now."""
        payload = {**content, "sender": user_json(self.actor(by))}
        if repository is not None:
            payload["repository"] = repository_json(repository)
            installation = installation or self.installation_of(repository)
        if installation is not None:
            payload.setdefault("installation", {"id": installation.id})
        delivery = Delivery(
            id=self.next_id(),
            guid=str(uuid.uuid4()),
            event=event,
            payload=payload,
            created_at=self.now(),
            repository_id=repository.id if repository else None,
            installation_id=installation.id if installation else None,
        )
        self.deliveries.append(delivery)
        return delivery

    def whole_installation(self, installation: SimulatedInstallation) -> dict[str, Any]:
        """The `installation` and `repositories` parts of installation events."""
        repositories = [
            {
                key: repository_json(repository)[key]
                for key in ("id", "name", "full_name", "private")
            }
            for repository in self.repositories.values()
            if installation.covers(repository)
        ]
        return {"installation": installation_json(installation), "repositories": repositories}
