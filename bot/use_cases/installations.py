"""What GitHub tells of the App's installations and of repositories as a whole, acted on.

Installed or added: the repository is stored, its configuration file is looked at, and a sync is
asked for. Removed, suspended, deleted,
archived: nothing is done there any more. Renamed or transferred: followed, with every address that
was kept under the old name.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from bot.github.events import InstallationFact, RepositoryFact, read_event
from bot.use_cases import configuration, presence, repository_labels, syncing
from bot.use_cases.desk import installation_of
from store.records import DeliveryRecord
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.use_cases.desk import Desk, Ending
    from store.records import ClaimedDelivery, Repository
    from store.unit_of_work import UnitOfWork

ENDED = {"deleted": "the App was uninstalled", "suspend": "the App was suspended"}
"""Actions of `installation` that concern all repositories of the account."""
RENEWED = frozenset({"unsuspend", "new_permissions_accepted"})
"""Actions after which what was refused before may be asked for again."""
REPOSITORY_ENDED = {"deleted": "the repository was deleted", "archived": "it is archived"}


async def follow_installation(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what `installation` and `installation_repositories` ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, InstallationFact):
        return await desk.ignore(claim, "it concerns no installation")
    if desk.access is not None and fact.installation is not None:
        desk.access.forget(fact.installation)  # its tokens carry the permissions of yesterday
    await asyncio.to_thread(_follow_installation, desk, claim, fact)
    return await desk.finish(claim)


async def follow_repository(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what `repository` renamed, transferred, deleted, archived and unarchived ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, RepositoryFact) or fact.repository is None:
        return await desk.ignore(claim, "it concerns no repository")
    await asyncio.to_thread(_follow_repository, desk, claim.received_at, fact)
    return await desk.finish(claim)


def _follow_installation(desk: Desk, claim: ClaimedDelivery, fact: InstallationFact) -> None:
    now = desk.clock()
    with desk.store.begin() as work:
        ended = ENDED.get(fact.action) if claim.event == "installation" else None
        for name in fact.lost:
            _leave(work, work.repositories.find(name), ended or "it was taken from the App", now)
        of_account = tuple(_of(work.repositories.all(), fact.account))
        if ended:
            for repository in of_account:
                _leave(work, repository, ended, now)
            return
        if claim.event == "installation" and fact.action in RENEWED:
            _renew(work, claim, of_account, now)
        for name in fact.gained:
            found = work.repositories.get_or_create(name, now=now, github_id=fact.ids.get(name))
            presence.come_back(work, found)
            _look_at_configuration(work, claim, found, now)
            work.tasks.request("sync", found.id, now)


def _renew(
    work: UnitOfWork, claim: ClaimedDelivery, repositories: Iterable[Repository], now: datetime
) -> None:
    for repository in repositories:
        if presence.left_because(repository) == ENDED["suspend"]:
            presence.come_back(work, repository)
        configuration.look_anew(work, repository)
        _look_at_configuration(work, claim, repository, now)


def _look_at_configuration(
    work: UnitOfWork, claim: ClaimedDelivery, repository: Repository, now: datetime
) -> None:
    """Put a look at the file into the inbox: there may be hundreds, and each may have to wait."""
    installation = installation_of(claim.payload)
    work.inbox.accept(
        DeliveryRecord(
            guid=f"{claim.guid}-{configuration.LOOK}-{repository.id}",
            event=configuration.LOOK,
            payload={
                "repository": {"id": repository.github_id},
                "installation": {"id": installation},
            },
            received_at=now,
            repository=repository.full_name,
        )
    )


def _of(repositories: Iterable[Repository], account: str) -> Iterable[Repository]:
    """An account has one installation of an App, so its owner's name says what belongs to it."""
    owner = name_key(account)
    return (one for one in repositories if name_key(one.full_name.partition("/")[0]) == owner)


def _leave(work: UnitOfWork, repository: Repository | None, why: str, now: datetime) -> None:
    if repository is not None and presence.left_because(repository) is None:
        presence.leave(work, repository, why, now)


def _follow_repository(desk: Desk, now: datetime, fact: RepositoryFact) -> None:
    if fact.repository is None:
        return
    with desk.store.begin() as work:
        repository = work.repositories.get_or_create(
            fact.repository.full_name, now=now, github_id=fact.repository.id
        )
        if why := REPOSITORY_ENDED.get(fact.action):
            presence.leave(work, repository, why, now)
        elif fact.action == "unarchived":
            presence.come_back(work, repository)
        elif fact.previous_full_name is not None:
            move(work, repository, fact.previous_full_name)


def move(work: UnitOfWork, repository: Repository, previous: str) -> None:
    """Ask under the new name from now on: the old one may be somebody else's tomorrow."""
    for name in (syncing.ISSUES, syncing.EVENTS):
        kept = repository.cursors.get(name)
        work.repositories.set_cursor(
            repository.id, name, _renamed(kept, previous, repository.full_name)
        )
    labels = repository.memory.get(repository_labels.KEPT_AS)
    renamed = _renamed(labels, previous, repository.full_name)
    work.repositories.remember(repository.id, repository_labels.KEPT_AS, renamed)
    # Another owner has another `.github` repository: what the file said there no longer holds.
    same_owner = previous.partition("/")[0] == repository.full_name.partition("/")[0]
    if same_owner:
        configuration.look_anew(work, repository)
    else:
        work.repositories.remember(repository.id, configuration.KEPT_AS, None)


def _renamed(kept: Any, previous: str, present: str) -> Any:
    """What was kept, with the repository's new name in every address, keys included."""
    if isinstance(kept, dict):
        return {
            _renamed(key, previous, present): _renamed(value, previous, present)
            for key, value in kept.items()
        }
    if isinstance(kept, list):
        return [_renamed(one, previous, present) for one in kept]
    if not isinstance(kept, str):
        return kept
    old = re.compile(rf"/repos/{re.escape(previous)}(?=/)", re.IGNORECASE)
    return old.sub(f"/repos/{present}", kept)
