"""What every answer draws on: the installation, and whether who asks may see the repository."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from bot.api.background import Background
from bot.api.learning import OwnTrainings, QueuedTrainings
from bot.api.refusals import ApiRefusal, NotShown, in_refusals
from bot.github.models import is_full_name
from bot.github.web_addresses import issue_address
from bot.model_serving.batch_scoring import Scoring
from bot.receiving.handler_context import HandlerContext
from bot.reviewing.deciding_labels import Person, ReviewContext
from bot.reviewing.live_standing import LiveStandings
from bot.signin.roles import Role
from bot.teaching.teaching_sessions import TeachingSessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from typing import TypeVar

    from bot.api.learning import Trainings
    from bot.container import Container
    from bot.signin.authenticator import Authenticator
    from bot.signin.viewers import Viewer
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

    AnswerT = TypeVar("AnswerT")


class ApiContext:
    """One for each service; lives in its event loop."""

    def __init__(self, container: Container, authenticator: Authenticator) -> None:
        self.container = container
        self.authenticator = authenticator
        self.standings = LiveStandings(container.store)
        self.scoring = Scoring()
        self.background = Background(container.clock)
        self.teaching_sessions = TeachingSessions(
            container.store, lambda progress: container.resources(progress, tuning=False)
        )
        self.trainings: Trainings = (
            OwnTrainings(self) if authenticator.is_local else QueuedTrainings(self)
        )

    @property
    def store(self) -> Store:
        return self.container.store

    def now(self) -> datetime:
        return self.container.clock()

    @cached_property
    def context(self) -> HandlerContext:
        """As for a job on a delivery, with the bot's own access to GitHub."""
        container = self.container
        return HandlerContext(
            container.store,
            container.cache,
            container.metrics,
            self.authenticator.access(),
            container.clock,
            self.scoring,
        )

    def address_of_issues(self, repository: str) -> str:
        """Where GitHub shows the repository's issues, with `{number}` in it."""
        return issue_address(self.container.settings.github_api_url, repository)

    @asynccontextmanager
    async def opened(
        self, viewer: Viewer, name: str, need: Role = Role.TRIAGE
    ) -> AsyncIterator[Repository]:
        """The repository, for who may do this there; refusals of the block come out as answers.

        What is not there and what may not be seen look the same, and take the same time: who asks
        is judged before the store is looked into.

        :raises ApiRefusal: they may not, or what the block does was refused.
        """
        with in_refusals():
            if not is_full_name(name):
                raise NotShown
            role = await viewer.role(name)
            if role < Role.TRIAGE:
                raise NotShown
            repository = await self.read(lambda work: work.repositories.find(name))
            if repository is None:
                raise NotShown
            if role < need:
                raise ApiRefusal(403, "That takes the rights of an administrator here.")
            yield repository

    async def read(self, look: Callable[[UnitOfWork], AnswerT]) -> AnswerT:
        """What the block finds in one consistent view of the store, read in a thread."""

        def within() -> AnswerT:
            with self.store.read() as work:
                return look(work)

        return await asyncio.to_thread(within)

    def reviewing(self, repository: Repository) -> ReviewContext:
        return ReviewContext(self.store, repository, self.container.clock)

    async def person(self, viewer: Viewer, repository: Repository) -> Person:
        """Who asks, with their client where the repository is on GitHub."""
        on_github = repository.github_id is not None
        client = await viewer.client(repository.full_name) if on_github else None
        return Person(viewer.login, client)
