"""What all parts of the stand-in share: storage, ids, time, people, and the webhooks they cause."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.standin.records import (
    Actor,
    Delivery,
    IssueRecord,
    RepositoryRecord,
    RequestSeen,
    StandInError,
    SuggestionMode,
)
from bot.standin.wire import installation_json, repository_json, user_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.standin.apps import AppRecord, InstallationRecord
    from bot.standin.faults import Fault, RequestBudget


class World:
    """Storage. Everything public takes and returns records; whoever acts is named by login.

    :ivar requests: the latest requests that reached the HTTP side.
    :ivar deliveries: the webhooks caused so far, oldest first, sent or not.
    :ivar faults: what the next requests get instead of an answer.
    :ivar url: the API's base URL, as it appears in payloads.
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
        self.repositories: dict[str, RepositoryRecord] = {}
        self.renamed: dict[str, str] = {}
        self.tokens: dict[str, Actor] = {}
        self.apps: dict[int, AppRecord] = {}
        self.installations: dict[int, InstallationRecord] = {}
        self.manifest_codes: dict[str, AppRecord] = {}
        self.deleted_issues: set[tuple[int, int]] = set()
        self.transferred_issues: dict[str, str] = {}
        self.requests: deque[RequestSeen] = deque(maxlen=remember)
        self.deliveries: deque[Delivery] = deque(maxlen=remember)
        self.faults: deque[Fault] = deque()
        self.budgets: dict[str, RequestBudget] = {}
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
    ) -> RepositoryRecord:
        with self.lock:
            owner = self.actor(full_name.partition("/")[0])
            repository = RepositoryRecord(self.next_id(), full_name, owner, private=private)
            repository.suggestions = suggestions
            self.repositories[full_name.lower()] = repository
            return repository

    def repository(self, full_name: str) -> RepositoryRecord:
        """:raises StandInError: 404."""
        found = self.repositories.get(full_name.lower())
        if found is None:
            raise StandInError(404, "Not Found")
        return found

    def issue(self, full_name: str, number: int) -> IssueRecord:
        """:raises StandInError: 404, or 410 for a deleted issue."""
        repository = self.repository(full_name)
        found = repository.issues.get(number)
        if found is not None:
            return found
        if (repository.id, number) in self.deleted_issues:
            raise StandInError(410, "This issue was deleted")
        raise StandInError(404, "Not Found")

    def installation_of(self, repository: RepositoryRecord) -> InstallationRecord | None:
        covering = (one for one in self.installations.values() if one.covers(repository))
        return next(covering, None)

    def emit(
        self,
        event: str,
        by: str,
        repository: RepositoryRecord | None,
        content: dict[str, Any],
        installation: InstallationRecord | None = None,
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

    def whole_installation(self, installation: InstallationRecord) -> dict[str, Any]:
        """The `installation` and `repositories` parts of installation events."""
        repositories = [
            {key: repository_json(one)[key] for key in ("id", "name", "full_name", "private")}
            for one in self.repositories.values()
            if installation.covers(one)
        ]
        return {"installation": installation_json(installation), "repositories": repositories}
