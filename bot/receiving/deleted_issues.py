"""Deleted issues: their words go at once, and nothing that comes late brings them back.

People delete issues because of secrets. What GitHub calls deleted is erased from every table in the
transaction that hears of it, and leaves a tombstone; the task `erase` then looks for it in what
else is kept (`bot.erasure.issue_erasing`).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.github.errors import Forbidden, Gone, Moved, NotFound
from tagger.releases.erasing import digests_of, vectors_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.github.client import GitHubClient
    from store.database import Store
    from store.erasing import ErasedIssue
    from store.records import DeliveryRecord, Repository, TargetKind
    from store.unit_of_work import UnitOfWork

SWEEP = "erase"
"""The kind of task that looks for what was deleted in other rows and in files."""
_NAMED_BY = {
    "issue": ("id", "number"),
    "discussion": ("number",),
    "repository": ("id", "full_name"),
    "installation": ("id",),
}
"""What a payload keeps: ids, and no words."""

MAX_ID = 2**63 - 1
"""What a database takes; anything larger is no id of GitHub's."""


def is_late(work: UnitOfWork, delivery: DeliveryRecord) -> bool:
    """Whether a delivery, whatever its event, tells of an issue that was deleted before."""
    github_id = issue_id_in(delivery.payload)
    return github_id is not None and work.tombstones.has(github_id)


def issue_id_in(payload: Mapping[str, Any]) -> int | None:
    """GitHub's id of the issue that a payload is about; None where it holds no usable one."""
    issue = payload.get("issue")
    github_id = issue.get("id") if isinstance(issue, dict) else None
    return github_id if type(github_id) is int and 0 <= github_id <= MAX_ID else None


def without_words(delivery: DeliveryRecord) -> DeliveryRecord:
    """The delivery with nothing in its payload but what it is about."""
    payload: dict[str, Any] = {"action": delivery.action}
    for name, keys in _NAMED_BY.items():
        part = delivery.payload.get(name)
        if isinstance(part, dict):
            payload[name] = {key: part[key] for key in keys if key in part}
    return replace(delivery, payload=payload)


def forget(
    work: UnitOfWork,
    repository_id: int,
    number: int,
    now: datetime,
    *,
    github_id: int | None = None,
    texts: tuple[tuple[str, str], ...] = (),
) -> ErasedIssue:
    """Erase an issue for good, and have files searched for its words.

    :param github_id: as GitHub told it; an issue of the same number and another id stays.
    :param texts: titles and bodies that it is known by beside those that are stored.
    """
    stored = work.issues.find(repository_id, number)
    if stored and (github_id is None or stored.github_id in {None, github_id}):
        texts += (stored.filed_title, stored.filed_body), (stored.title, stored.body)
        github_id = github_id or stored.github_id
    erased = work.erasing.issue(repository_id, number, github_id, now)
    keys = vectors_of(texts)
    work.vectors.drop(keys)
    work.tombstones.bury(repository_id, number, github_id, now, {*digests_of(texts), *keys})
    work.tasks.request(SWEEP, repository_id, now)
    return erased


async def forget_if_gone(
    store: Store,
    client: GitHubClient,
    repository: Repository,
    number: int,
    now: datetime,
    *,
    github_id: int | None = None,
    target: TargetKind = "issues",
) -> bool:
    """Forget an issue that GitHub would not show, unless it is its repository that is out of reach.

    Rights that were lost, and issues or discussions that were switched off, must not empty the
    store.
    """
    try:
        present = await client.repository(repository.full_name)
    except (NotFound, Gone, Forbidden, Moved):
        return False
    there = present.has_discussions if target == "discussions" else present.has_issues
    if there is False or repository.github_id not in {None, present.id}:
        return False

    def erase() -> None:
        with store.begin() as work:
            forget(work, repository.id, number, now, github_id=github_id)

    await asyncio.to_thread(erase)
    return True
