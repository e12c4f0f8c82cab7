"""Which labels a repository has right now: GitHub creates one that does not exist, so look first.

Asked with ETags: where nothing changed the answer is 304 and costs no part of the hourly budget.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.github.pages import KnownPage
from store.records import LabelRecord
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.models import Label
    from bot.github.pages import Page
    from store.database import Store
    from store.records import Repository

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
    kept = repository.memory.get(KEPT_AS) or {}
    known = {url: KnownPage(**page) for url, page in kept.get("pages", {}).items()}
    if known:
        pages = [page async for page in client.label_pages(repository.full_name, known=known)]
        if all(page.unchanged for page in pages):
            return _from_kept(kept["labels"])
    fresh = [page async for page in client.label_pages(repository.full_name)]
    labels = [label for page in fresh for label in page.items]
    await asyncio.to_thread(_keep, store, repository.id, labels, fresh, now)
    return _from_kept([[label.name, label.id] for label in labels])


def _from_kept(labels: list[list[Any]]) -> RepositoryLabels:
    return RepositoryLabels(
        {name_key(name): name for name, _ in labels},
        {label_id: name_key(name) for name, label_id in labels if label_id is not None},
    )


def _keep(
    store: Store,
    repository_id: int,
    labels: list[Label],
    pages: list[Page[Label]],
    now: datetime,
) -> None:
    known = {page.url: asdict(page.known) for page in pages if page.known}
    complete = len(known) == len(pages)
    kept = {"pages": known, "labels": [[label.name, label.id] for label in labels]}
    records = [LabelRecord(one.name, one.description, one.color) for one in labels]
    with store.begin() as work:
        work.labels.upsert(repository_id, records, now=now, complete=True)
        work.repositories.remember(repository_id, KEPT_AS, kept if complete else None)
