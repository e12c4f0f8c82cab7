"""Which labels a repository has right now: GitHub creates one that does not exist, so look first.

Asked with ETags: where nothing changed the answer is 304 and costs no part of the hourly budget.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.github.pages import KnownPage
from bot.receiving.label_changes import follow_list, follow_webhook
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.events import LabelFact
    from bot.github.models import GitHubLabel
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

KEPT_AS = "label_list"


@dataclass(frozen=True)
class RepositoryLabels:
    """A repository's labels.

    :ivar names: folded name → as the repository spells it.
    :ivar ids: GitHub's label id → folded name, where GitHub told it.
    """

    names: Mapping[str, str]
    ids: Mapping[int, str]


async def labels_now(
    store: Store, client: GitHubClient, repository: Repository, now: datetime
) -> RepositoryLabels:
    """The labels that the repository has at this moment; what changed is stored."""
    stored = repository.memory.get(KEPT_AS) or {}
    known_pages = {url: KnownPage(**page) for url, page in stored.get("pages", {}).items()}
    if known_pages:
        pages = [
            page async for page in client.label_pages(repository.full_name, known_pages=known_pages)
        ]
        if all(page.unchanged for page in pages):
            return _from_kept(stored["labels"])
    labels, known_pages = await _read(client, repository.full_name)
    await asyncio.to_thread(_keep, store, repository.id, labels, known_pages, now)
    return _from_kept([[label.name, label.id] for label in labels])


def labels_kept(repository: Repository) -> RepositoryLabels:
    """The labels as last read, with what webhooks told since."""
    return _from_kept((repository.memory.get(KEPT_AS) or {}).get("labels", []))


def hear(work: UnitOfWork, repository_id: int, fact: LabelFact, now: datetime) -> None:
    """Follow what a `label` webhook says, and have the whole list read again before it is used."""
    stored = _kept(work, repository_id)
    before = _by_id(stored)
    names = follow_webhook(work, repository_id, before, fact, now)
    if names != before:
        nameless = [pair for pair in stored.get("labels", ()) if pair[1] is None]
        labels = [*([name, label_id] for label_id, name in names.items()), *nameless]
        work.repositories.remember(repository_id, KEPT_AS, {"pages": {}, "labels": labels})


async def _read(
    client: GitHubClient, full_name: str
) -> tuple[tuple[GitHubLabel, ...], dict[str, KnownPage]]:
    """All labels, and the pages' ETags where those speak for the whole list.

    Who deletes a label between two pages moves a later one onto a page that was read already. A
    label that is missed counts as deleted, so a list of several pages is read twice.
    """
    first = [page async for page in client.label_pages(full_name)]
    readings = [first]
    if len(first) > 1:
        readings.append([page async for page in client.label_pages(full_name)])
    labelses = [{label.name: label for page in pages for label in page.items} for pages in readings]
    either = {name: label for labels in labelses for name, label in labels.items()}
    known_pages = {page.url: page.known for page in readings[-1] if page.known}
    whole = len(known_pages) == len(readings[-1]) and all(labels == either for labels in labelses)
    return tuple(either.values()), known_pages if whole else {}


def _from_kept(labels: list[list[Any]]) -> RepositoryLabels:
    return RepositoryLabels(
        {name_key(name): name for name, _ in labels},
        {label_id: name_key(name) for name, label_id in labels if label_id is not None},
    )


def _keep(
    store: Store,
    repository_id: int,
    labels: Sequence[GitHubLabel],
    known_pages: Mapping[str, KnownPage],
    now: datetime,
) -> None:
    with store.begin() as work:
        follow_list(work, repository_id, _by_id(_kept(work, repository_id)), labels, now)
        stored_labels = {
            "pages": {url: asdict(page) for url, page in known_pages.items()},
            "labels": [[label.name, label.id] for label in labels],
        }
        work.repositories.remember(repository_id, KEPT_AS, stored_labels)


def _kept(work: UnitOfWork, repository_id: int) -> Mapping[str, Any]:
    """What is known of the list, for nobody else to change meanwhile."""
    return work.repositories.by_id(repository_id, to_change=True).memory.get(KEPT_AS) or {}


def _by_id(stored: Mapping[str, Any]) -> dict[int, str]:
    return {label_id: name for name, label_id in stored.get("labels", ()) if label_id is not None}
