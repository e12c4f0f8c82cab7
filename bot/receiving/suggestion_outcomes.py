"""What people said to the bot's suggestions: GitHub sends no webhook when one is turned down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.github.errors import Gone, NotFound
from bot.receiving.repository_labels import labels_now
from store.engine.text import name_key
from store.records import LabelEvent
from store.records.issue_types import is_type

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Suggestion
    from bot.receiving.repository_labels import RepositoryLabels
    from store.database import Store
    from store.records import Repository, Write, WriteState
    from store.unit_of_work import UnitOfWork

MAX_ASKED = 100
"""Issues asked about at a time, a request each."""
WORTH_ASKING = timedelta(days=60)
"""A suggestion that nobody has answered for so long is not asked about any more."""

_ANSWERS: dict[str, WriteState] = {"approved": "approved", "dismissed": "dismissed"}


async def ask_for_answers(
    store: Store, client: GitHubClient, repository: Repository, now: datetime
) -> int:
    """Find out what became of suggestions that still wait; returns how many were answered.

    :raises GitHubError: GitHub refuses; what was found out until then is kept.
    """
    waiting = await asyncio.to_thread(_waiting, store, repository.id, now)
    if not waiting:
        return 0
    labels = await labels_now(store, client, repository, now)
    if any(is_type(write.label) for write in waiting):
        labels = labels.with_types(await client.issue_types(repository.full_name))
    answered = 0
    for number in sorted({write.number for write in waiting}, reverse=True)[:MAX_ASKED]:
        try:
            suggestions = await client.suggestions(repository.full_name, number)
        except (NotFound, Gone):  # the issue is gone, or the repository has lost the feature
            continue
        answered += await asyncio.to_thread(
            _keep, store, repository.id, number, suggestions, labels, now
        )
    return answered


def remember_answers(
    work: UnitOfWork,
    repository_id: int,
    number: int,
    suggestions: Iterable[Suggestion],
    labels: RepositoryLabels,
    now: datetime,
) -> int:
    """Keep a dismissal as a person's word against the label, and mark what was answered.

    An approval enters the label history by the label that it sets.
    """
    states = {
        key: suggestion
        for suggestion in suggestions
        if suggestion.state in _ANSWERS and (key := labels.key_of(suggestion)) is not None
    }
    events = [
        LabelEvent(
            number=number,
            label=labels.names[key],
            action="removed",
            at=suggestion.updated_at or now,
            actor_kind="person",
            source="suggestion",
            key=f"suggestion {suggestion.id}",
        )
        for key, suggestion in states.items()
        if suggestion.state == "dismissed"
    ]
    work.labels.record_events(repository_id, events)
    writes = work.writes.list(
        repository_id=repository_id, number=number, state="written", form="suggestion"
    )
    answered = [write for write in writes if name_key(write.label) in states]
    for write in answered:
        work.writes.mark(write.id, _ANSWERS[states[name_key(write.label)].state], now)
    return len(answered)


def _waiting(store: Store, repository_id: int, now: datetime) -> list[Write]:
    """Suggestions that nobody is known to have answered."""
    with store.read() as work:
        writes = work.writes.list(repository_id=repository_id, state="written", form="suggestion")
    return [write for write in writes if now - write.at <= WORTH_ASKING]


def _keep(
    store: Store,
    repository_id: int,
    number: int,
    suggestions: Iterable[Suggestion],
    labels: RepositoryLabels,
    now: datetime,
) -> int:
    with store.begin() as work:
        return remember_answers(work, repository_id, number, suggestions, labels, now)
