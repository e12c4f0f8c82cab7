"""What GitHub tells of the App's installations and of repositories as a whole, acted on.

Installed or added: the repository is stored, its configuration file is looked at, and a sync is
asked for. Removed, suspended, deleted,
archived: nothing is done there any more. Renamed or transferred: followed, with every address that
was kept under the old name.

What a webhook says may be over when it is worked on: GitHub could not deliver it in time, or a
later one overtook it. So before the bot leaves a repository or comes back, GitHub is asked.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.github.errors import Forbidden, NotFound
from bot.github.events import InstallationFact, RepositoryFact, read_event
from bot.use_cases import configuration, names, presence, receive
from bot.use_cases.desk import installation_of
from store.records import DeliveryRecord
from store.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from datetime import datetime

    from bot.use_cases.desk import Desk, Ending
    from store.records import ClaimedDelivery, Repository
    from store.unit_of_work import UnitOfWork

ENDED = {"deleted": presence.UNINSTALLED, "suspend": presence.SUSPENDED}
"""Actions of `installation` that concern all repositories of the account."""
RENEWED = frozenset({"unsuspend", "new_permissions_accepted"})
"""Actions after which what was refused before may be asked for again."""
REPOSITORY_ENDED = {"deleted": presence.DELETED, "archived": presence.ARCHIVED}


async def follow_installation(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what `installation` and `installation_repositories` ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, InstallationFact):
        return await desk.ignore(claim, "it concerns no installation")
    if desk.access is not None and fact.installation is not None:
        desk.access.forget(fact.installation)  # its tokens carry the permissions of yesterday
    ended = ENDED.get(fact.action) if claim.event == "installation" else None
    for repository in await asyncio.to_thread(_to_leave, desk, fact, ended):
        if not await _installed(desk, repository, otherwise=False):
            await asyncio.to_thread(_leave, desk, repository, ended or presence.TAKEN)
    if not ended:
        away = await asyncio.to_thread(_left_before, desk, fact)
        await _follow_names(desk, fact)
        still = [one.id for one in away if not await _installed(desk, one, otherwise=True)]
        await asyncio.to_thread(_welcome, desk, claim, fact, frozenset(still))
    return await desk.finish(claim)


async def follow_repository(desk: Desk, claim: ClaimedDelivery) -> Ending:
    """Do what `repository` renamed, transferred, deleted, archived and unarchived ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, RepositoryFact) or fact.repository is None:
        return await desk.ignore(claim, "it concerns no repository")
    repository = await asyncio.to_thread(_follow_repository, desk, claim.received_at, fact)
    why = REPOSITORY_ENDED.get(fact.action)
    if (why or fact.action == "unarchived") and await _still_so(desk, repository, fact.action):
        await asyncio.to_thread(_leave_or_return, desk, repository, why, claim.received_at)
    return await desk.finish(claim)


async def _follow_names(desk: Desk, fact: InstallationFact) -> None:
    """Repositories that the App was given may be known under other names."""
    for name, repository in await asyncio.to_thread(_gained_and_known, desk, fact):
        if repository.full_name != name:
            await names.ask_name(desk, repository, name, fact.installation)


def _gained_and_known(desk: Desk, fact: InstallationFact) -> list[tuple[str, Repository]]:
    with desk.store.read() as work:
        found = [
            (name, work.repositories.find(name, github_id=fact.ids.get(name)))
            for name in fact.gained
        ]
    return [(name, repository) for name, repository in found if repository is not None]


async def _installed(desk: Desk, repository: Repository, *, otherwise: bool) -> bool:
    """Whether the App may act there at this moment; `otherwise` where nobody can be asked."""
    app = desk.access.as_app if desk.access else None
    if app is None:
        return otherwise
    try:
        return (await app.repository_installation(repository.full_name)).suspended_at is None
    except NotFound:
        return False


async def _still_so(desk: Desk, repository: Repository, action: str) -> bool:
    """Whether GitHub has the repository as this action left it."""
    ended = action in REPOSITORY_ENDED
    if desk.access is None:
        return True
    try:
        # Not through the installation that the webhook names, which may have ended since.
        client = await desk.access.client(repository.full_name)
        found = await client.repository(repository.full_name)
    except (NotFound, Forbidden):  # nothing that the bot could act in
        return ended
    if found.id != repository.github_id:  # another has the name now
        return ended
    if action == "deleted":
        return False
    return found.archived is not (action == "unarchived")  # None: GitHub did not say


def _to_leave(desk: Desk, fact: InstallationFact, ended: str | None) -> tuple[Repository, ...]:
    """The repositories of which this takes leave, but for those that were left before."""
    with desk.store.read() as work:
        named = (work.repositories.find(name) for name in fact.lost)
        of_account = _of(work.repositories.all(), fact.account) if ended else ()
        found = {one.id: one for one in (*named, *of_account) if one is not None}
    return tuple(one for one in found.values() if presence.left_because(one) is None)


def _leave(desk: Desk, repository: Repository, why: str) -> None:
    with desk.store.begin() as work:
        presence.leave(work, repository, why, desk.clock())


def _left_before(desk: Desk, fact: InstallationFact) -> tuple[Repository, ...]:
    """The repositories to which this may lead the bot back."""
    gained = set(map(name_key, fact.gained))
    with desk.store.read() as work:
        known = work.repositories.all()
    renewed = {one.id for one in _of(known, fact.account)} if fact.action in RENEWED else set()
    return tuple(
        one
        for one in known
        if presence.left_because(one) and (name_key(one.full_name) in gained or one.id in renewed)
    )


def _welcome(desk: Desk, claim: ClaimedDelivery, fact: InstallationFact, away: Set[int]) -> None:
    """:param away: repositories in which the App may not act, whatever this webhook says."""
    now = desk.clock()
    with desk.store.begin() as work:
        if claim.event == "installation" and fact.action in RENEWED:
            of_account = _of(work.repositories.all(), fact.account)
            _renew(work, claim, (one for one in of_account if one.id not in away), now)
        for name in fact.gained:
            found = receive.heard_of(work, name, fact.ids.get(name), now)
            if found.id in away:
                continue
            presence.come_back(work, found)
            _look_at_configuration(work, claim, found, now)
            work.tasks.request("sync", found.id, now)


def _renew(
    work: UnitOfWork, claim: ClaimedDelivery, repositories: Iterable[Repository], now: datetime
) -> None:
    for repository in repositories:
        if presence.left_because(repository) == presence.SUSPENDED:
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


def _follow_repository(desk: Desk, now: datetime, fact: RepositoryFact) -> Repository:
    told = fact.repository
    assert told is not None  # noqa: S101 - see the caller
    with desk.store.begin() as work:
        repository = work.repositories.find(told.full_name, github_id=told.id)
        if repository is None:
            return work.repositories.get_or_create(told.full_name, now=now, github_id=told.id)
        if fact.previous_full_name is not None:
            names.move(work, repository, fact.previous_full_name)
    return repository


def _leave_or_return(desk: Desk, repository: Repository, why: str | None, now: datetime) -> None:
    with desk.store.begin() as work:
        if why:
            presence.leave(work, repository, why, now)
        else:
            presence.come_back(work, repository)
