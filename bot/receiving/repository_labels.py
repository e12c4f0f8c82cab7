"""Which labels a repository has right now: GitHub creates one that does not exist, so look first.

Asked with ETags: where nothing changed the answer is 304 and costs no part of the hourly budget.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from bot.github.models import labels_alone
from bot.github.resource import KnownPage
from bot.receiving.label_changes import follow_list, follow_webhook
from store.engine.text import name_key
from store.records.issue_fields import is_label
from store.records.issue_types import type_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.github.client import GitHubClient
    from bot.github.events import LabelFact
    from bot.github.models import GitHubLabel, IssueField, IssueType, Suggestion
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class RepositoryLabels:
    """A repository's labels, and its types and fields' values where they were asked for.

    :ivar names: folded name → as the repository spells it.
    :ivar ids: GitHub's label id → folded name, where GitHub told it.
    :ivar type_ids: the same of types, whose ids may be the same numbers.
    """

    names: Mapping[str, str]
    ids: Mapping[int, str]
    type_ids: Mapping[int, str] = field(default_factory=dict)

    def with_types(self, types: Iterable[IssueType]) -> Self:
        """These labels with types beside them."""
        targets = {each.id: type_target(each.name) for each in types}
        return replace(
            self,
            names={**self.names, **{name_key(target): target for target in targets.values()}},
            type_ids={
                type_id: name_key(target)
                for type_id, target in targets.items()
                if type_id is not None
            },
        )

    def with_fields(self, fields: Iterable[IssueField]) -> Self:
        """These labels with the values of single-select fields beside them."""
        targets = {name_key(target): target for each in fields for target in each.targets}
        return replace(self, names={**self.names, **targets})

    def key_of(self, suggestion: Suggestion) -> str | None:
        """The folded name of what is suggested; None for what the repository has not got."""
        ids = self.type_ids if suggestion.action == "set_type" else self.ids
        return None if suggestion.target_id is None else ids.get(suggestion.target_id)


@dataclass(frozen=True)
class LabelList:
    """The labels as GitHub last listed them.

    :ivar pages: by address, what to ask with so that an unchanged list costs nothing; empty: the
        list is to be read again before it is used.
    :ivar labels: names with GitHub's ids, where GitHub told them.
    """

    pages: Mapping[str, KnownPage] = field(default_factory=dict)
    labels: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def of(cls, repository: Repository) -> Self:
        stored = repository.label_list
        return cls() if stored is None else cls.from_json(stored)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        pages = {url: KnownPage(**page) for url, page in stored["pages"].items()}
        return cls(pages, tuple((name, label_id) for name, label_id in stored["labels"]))

    def to_json(self) -> dict[str, Any]:
        """As stored in `Repository.label_list`."""
        return {
            "pages": {url: asdict(page) for url, page in self.pages.items()},
            "labels": [list(pair) for pair in self.labels],
        }

    @property
    def as_labels(self) -> RepositoryLabels:
        return RepositoryLabels(
            {name_key(name): name for name, _ in self.labels},
            {label_id: name_key(name) for label_id, name in self.by_id.items()},
        )

    @property
    def by_id(self) -> dict[int, str]:
        return {label_id: name for name, label_id in self.labels if label_id is not None}

    def moved(self, address_now: Callable[[str], str]) -> Self:
        """The same list, to be asked for at the addresses that a renamed repository has now."""
        pages = {
            address_now(url): replace(page, next=page.next and address_now(page.next))
            for url, page in self.pages.items()
        }
        return replace(self, pages=pages)

    def keep(self, work: UnitOfWork, repository_id: int) -> None:
        work.repositories.set_label_list(repository_id, self.to_json())


async def labels_now(
    store: Store, client: GitHubClient, repository: Repository, now: datetime
) -> RepositoryLabels:
    """The labels that the repository has at this moment; what changed is stored."""
    last = LabelList.of(repository)
    if last.pages:
        asking = client.label_pages(repository.full_name, known_pages=last.pages)
        if all([page.unchanged async for page in asking]):
            return last.as_labels
    labels, known_pages = await _read(client, repository.full_name)
    return await asyncio.to_thread(_keep, store, repository.id, labels, known_pages, now)


def labels_kept(repository: Repository) -> RepositoryLabels:
    """The labels as last read, with what webhooks told since."""
    return LabelList.of(repository).as_labels


def hear(work: UnitOfWork, repository_id: int, fact: LabelFact, now: datetime) -> None:
    """Follow what a `label` webhook says, and have the whole list read again before it is used."""
    last = _kept(work, repository_id)
    if not (is_label(fact.label.name) and is_label(fact.previous_name or "")):
        LabelList(labels=last.labels).keep(work, repository_id)
        return
    names = follow_webhook(work, repository_id, last.by_id, fact, now)
    if names != last.by_id:
        without_id = (pair for pair in last.labels if pair[1] is None)
        labels = (*((name, label_id) for label_id, name in names.items()), *without_id)
        LabelList(labels=labels).keep(work, repository_id)


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
    labelses = [
        {label.name: label for page in pages for label in labels_alone(page.items)}
        for pages in readings
    ]
    either = {name: label for labels in labelses for name, label in labels.items()}
    known_pages = {page.url: page.known for page in readings[-1] if page.known}
    whole = len(known_pages) == len(readings[-1]) and all(labels == either for labels in labelses)
    return tuple(either.values()), known_pages if whole else {}


def _keep(
    store: Store,
    repository_id: int,
    labels: Sequence[GitHubLabel],
    known_pages: Mapping[str, KnownPage],
    now: datetime,
) -> RepositoryLabels:
    listed = LabelList(known_pages, tuple((label.name, label.id) for label in labels))
    with store.begin() as work:
        follow_list(work, repository_id, _kept(work, repository_id).by_id, labels, now)
        listed.keep(work, repository_id)
    return listed.as_labels


def _kept(work: UnitOfWork, repository_id: int) -> LabelList:
    """What is known of the list, for nobody else to change meanwhile."""
    return LabelList.of(work.repositories.by_id(repository_id, to_change=True))
