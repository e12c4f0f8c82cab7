"""Renamed, deleted and new labels, followed into the store, whoever tells of them.

A webhook tells of one change, a reading of the label list of what changed since the last one.
Both may tell of the same change, in any order, and late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.records import LabelRecord
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from bot.github.events import LabelFact
    from bot.github.models import Label
    from store.unit_of_work import UnitOfWork


def follow_webhook(work: UnitOfWork, repository_id: int, fact: LabelFact, now: datetime) -> None:
    """Follow what a `label` webhook says."""
    label = fact.label
    if fact.action == "deleted":
        work.labels.delete(repository_id, label.name, now=now)
        return
    if fact.previous_name and fact.previous_name != label.name:
        rename(work, repository_id, fact.previous_name, label.name)
    work.labels.upsert(repository_id, [_record(label)], now=now)


def follow_list(
    work: UnitOfWork,
    repository_id: int,
    before: Mapping[int, str],
    labels: Iterable[Label],
    now: datetime,
) -> None:
    """Follow what changed since the list was read last.

    :param before: GitHub's label id → name, as last read: only by its id is a rename told from
        a deletion and a new label.
    :param labels: all that the repository has now.
    """
    listed = tuple(labels)
    names = {one.id: one.name for one in listed if one.id is not None}
    changed = {old: names[one] for one, old in before.items() if one in names and names[one] != old}
    for old, new in in_order(changed):
        rename(work, repository_id, old, new)
    there = {name_key(one.name) for one in listed}
    for stored in work.labels.list(repository_id):
        if name_key(stored.name) not in there:
            work.labels.delete(repository_id, stored.name, now=now)
    work.labels.upsert(repository_id, map(_record, listed), now=now)


def rename(work: UnitOfWork, repository_id: int, old: str, new: str) -> None:
    """Let everything that goes by the old name go by the new one, unless that was done before."""
    followed = any(
        name_key(one.name) == name_key(new) and name_key(old) in map(name_key, one.former_names)
        for one in work.labels.list(repository_id)
    )
    if not followed:  # else the old name may be a new label's by now
        work.labels.rename(repository_id, old, new)


def in_order(renames: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Renames so that a name is taken only once another label has given it up.

    In a circle one label steps aside for a while.
    """
    waiting = {name_key(old): (old, new) for old, new in renames.items()}
    while waiting:
        free = [
            key
            for key, (_, new) in waiting.items()
            if name_key(new) == key or name_key(new) not in waiting
        ]
        if not free:
            key, (old, new) = next(iter(waiting.items()))
            aside = f"{old} (renamed)"
            yield old, aside
            del waiting[key]
            waiting[name_key(aside)] = (aside, new)
            continue
        yield waiting.pop(free[0])


def _record(label: Label) -> LabelRecord:
    return LabelRecord(label.name, label.description, label.color)
