"""One unit of work: one transaction with every gateway on it.

It rolls back unless the block ends without an error; there is no commit to forget.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from store.advising.advice import AdviceGateway
from store.decisions import Decisions
from store.engine.failures import in_our_words
from store.erasing import Erasing
from store.evaluations import Evaluations
from store.issues import Issues
from store.labels import Labels
from store.outcomes import Outcomes
from store.predictions import Predictions
from store.questions import Questions
from store.queues.inbox import Inbox
from store.queues.leases import Leases
from store.queues.pauses import Pauses
from store.queues.tasks import Tasks
from store.releases import Releases
from store.repositories import Repositories
from store.tokens import Tokens
from store.tombstones import Tombstones
from store.vectors import Vectors
from store.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


class UnitOfWork:
    """The gateways of one transaction; valid until its block ends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def repositories(self) -> Repositories:
        return Repositories(self._session)

    @cached_property
    def issues(self) -> Issues:
        return Issues(self._session)

    @cached_property
    def labels(self) -> Labels:
        return Labels(self._session)

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self._session)

    @cached_property
    def pauses(self) -> Pauses:
        return Pauses(self._session)

    @cached_property
    def tasks(self) -> Tasks:
        return Tasks(self._session)

    @cached_property
    def leases(self) -> Leases:
        return Leases(self._session)

    @cached_property
    def predictions(self) -> Predictions:
        return Predictions(self._session)

    @cached_property
    def outcomes(self) -> Outcomes:
        return Outcomes(self._session)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self._session)

    @cached_property
    def advice(self) -> AdviceGateway:
        return AdviceGateway(self._session)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self._session)

    @cached_property
    def questions(self) -> Questions:
        return Questions(self._session)

    @cached_property
    def writes(self) -> Writes:
        return Writes(self._session)

    @cached_property
    def releases(self) -> Releases:
        return Releases(self._session)

    @cached_property
    def evaluations(self) -> Evaluations:
        return Evaluations(self._session)

    @cached_property
    def tombstones(self) -> Tombstones:
        return Tombstones(self._session)

    @cached_property
    def erasing(self) -> Erasing:
        return Erasing(self._session)

    @cached_property
    def vectors(self) -> Vectors:
        return Vectors(self._session)


@contextmanager
def unit_of_work(bind: Engine | Connection, shown_url: str) -> Iterator[UnitOfWork]:
    """Commit when the block ends, roll back when it raises, whatever it raises.

    :param bind: an engine; or a connection with a transaction begun, within which this is a
        savepoint (so tests undo all of it).
    :raises StoreError: in place of what the driver raises (`store.engine.failures`).
    """
    session = Session(bind, join_transaction_mode="create_savepoint")
    with in_our_words(shown_url), session, session.begin():
        yield UnitOfWork(session)


@contextmanager
def view(bind: Engine | Connection, shown_url: str) -> Iterator[UnitOfWork]:
    """The same to read: there is nothing to commit, which would take half of the time.

    What a gateway changed by mistake is sent all the same, so that the database refuses it.
    """
    session = Session(bind, join_transaction_mode="create_savepoint")
    with in_our_words(shown_url), session:
        yield UnitOfWork(session)
        session.flush()
