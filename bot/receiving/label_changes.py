"""Renamed, deleted and new labels, followed into the store, whoever tells of them.

A webhook tells of one change, a reading of the label list of what changed since the last one.
Both may tell of the same change, in any order, and late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.engine.text import name_key
from store.records import LabelRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from bot.github.events import LabelFact
    from bot.github.models import GitHubLabel
    from store.unit_of_work import UnitOfWork


def follow_webhook(
    work: UnitOfWork,
    repository_id: int,
    names: Mapping[int, str],
    fact: LabelFact,
    now: datetime,
) -> dict[int, str]:
    """Follow what a `label` webhook says, which may be over by now.

    :param names: GitHub's label id → its name, as known so far.
    :returns: the same, with what the webhook adds.
    """
    label = fact.label
    present = None if label.id is None else names.get(label.id)
    others = {label_id: name for label_id, name in names.items() if label_id != label.id}
    if fact.action == "deleted":
        if present is not None or not _holds(others, label.name):
            work.labels.delete(repository_id, present or label.name, now=now)
        return others
    if fact.previous_name and fact.previous_name != label.name:
        renamed = (fact.previous_name, label.name)
        present = _follow_rename(work, repository_id, present, renamed, others)
    if present in {None, label.name}:
        present = label.name
        work.labels.upsert(repository_id, [_record(label)], now=now)
    return others if label.id is None else {**others, label.id: present or label.name}


def _follow_rename(
    work: UnitOfWork,
    repository_id: int,
    present: str | None,
    renamed: tuple[str, str],
    others: Mapping[int, str],
) -> str:
    """Follow what GitHub tells of one label; returns what that label is called now.

    :param present: what it was called until now, by its id; None where that is not known.
    :param told: from which name to which.
    :param others: the names of the other labels, by their ids.
    """
    old, new = renamed
    if present is None:
        return rename(work, repository_id, old, new)
    former = _former_names(work, repository_id, present)
    if name_key(present) == name_key(old):
        work.labels.rename(repository_id, present, new)
        return new
    if present != new and not {name_key(old), name_key(new)} & former:
        work.labels.rename(repository_id, present, new)  # what came in between is still to come
        present = new
    for passed in renamed:
        new_to_us = name_key(passed) not in former | {name_key(present)}
        if new_to_us and not _holds(others, passed):
            work.labels.rename(repository_id, passed, present)
    return present


def _holds(names: Mapping[int, str], name: str) -> bool:
    return name_key(name) in map(name_key, names.values())


def _former_names(work: UnitOfWork, repository_id: int, name: str) -> set[str]:
    """Folded names that the label had before it came to this one."""
    labels = work.labels.list(repository_id)
    former = (label.former_names for label in labels if name_key(label.name) == name_key(name))
    return set(map(name_key, next(former, ())))


def follow_list(
    work: UnitOfWork,
    repository_id: int,
    before: Mapping[int, str],
    labels: Iterable[GitHubLabel],
    now: datetime,
) -> None:
    """Follow what changed since the list was read last.

    :param before: GitHub's label id → name, as last read: only by its id is a rename told from
        a deletion and a new label.
    :param labels: all that the repository has now.
    """
    listed = tuple(labels)
    names = {label.id: label.name for label in listed if label.id is not None}
    changed = {
        old: names[label_id]
        for label_id, old in before.items()
        if label_id in names and names[label_id] != old
    }
    for old, new in in_order(changed):
        rename(work, repository_id, old, new)
    there = {name_key(label.name) for label in listed}
    for stored in work.labels.list(repository_id):
        if name_key(stored.name) not in there:
            work.labels.delete(repository_id, stored.name, now=now)
    work.labels.upsert(repository_id, map(_record, listed), now=now)


def rename(work: UnitOfWork, repository_id: int, old: str, new: str) -> str:
    """Let everything that goes by the old name go by the new one, unless that was done before.

    :returns: what the label is called now: by a still newer name where it went on from `new`.
    """
    labels = work.labels.list(repository_id)
    in_use = name_key(old) in (name_key(label.name) for label in labels)
    for label in labels:
        former = set(map(name_key, label.former_names))
        if name_key(old) in former and (
            name_key(label.name) == name_key(new) or (name_key(new) in former and not in_use)
        ):
            return label.name  # the old name may be a new label's by now
    work.labels.rename(repository_id, old, new)
    return new


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


def _record(label: GitHubLabel) -> LabelRecord:
    return LabelRecord(label.name, label.description, label.color)
