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

from bot.configuration import effective
from bot.github.errors import Forbidden, NotFound
from bot.github.events import InstallationFact, RepositoryFact, read_event
from bot.receiving import deliveries
from bot.receiving.handler_context import installation_of
from bot.repositories import names, presence
from store.engine.text import name_key
from store.records import DeliveryRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from datetime import datetime

    from bot.receiving.handler_context import Ending, HandlerContext
    from store.records import ClaimedDelivery, Repository
    from store.unit_of_work import UnitOfWork

ENDED = {"deleted": presence.UNINSTALLED, "suspend": presence.SUSPENDED}
"""Actions of `installation` that concern all repositories of the account."""
RENEWED = frozenset({"unsuspend", "new_permissions_accepted"})
"""Actions after which what was refused before may be asked for again."""
REPOSITORY_ENDED = {"deleted": presence.DELETED, "archived": presence.ARCHIVED}


async def follow_installation(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """Do what `installation` and `installation_repositories` ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, InstallationFact):
        return await context.ignore(claim, "it concerns no installation")
    if context.access is not None and fact.installation is not None:
        context.access.forget(fact.installation)  # its tokens carry the permissions of yesterday
    ended = ENDED.get(fact.action) if claim.event == "installation" else None
    for repository in await asyncio.to_thread(_to_leave, context, fact, ended):
        if not await _installed(context, repository, otherwise=False):
            await asyncio.to_thread(_leave, context, repository, ended or presence.TAKEN)
    if not ended:
        away = await asyncio.to_thread(_left_before, context, fact)
        await _follow_names(context, fact)
        still = [
            repository.id
            for repository in away
            if not await _installed(context, repository, otherwise=True)
        ]
        await asyncio.to_thread(_welcome, context, claim, fact, frozenset(still))
    return await context.finish(claim)


async def follow_repository(context: HandlerContext, claim: ClaimedDelivery) -> Ending:
    """Do what `repository` renamed, transferred, deleted, archived and unarchived ask for."""
    fact = read_event(claim.event, claim.payload)
    if not isinstance(fact, RepositoryFact) or fact.repository is None:
        return await context.ignore(claim, "it concerns no repository")
    repository = await asyncio.to_thread(_follow_repository, context, claim.received_at, fact)
    why = REPOSITORY_ENDED.get(fact.action)
    if (why or fact.action == "unarchived") and await _still_so(context, repository, fact.action):
        await asyncio.to_thread(_leave_or_return, context, repository, why, claim.received_at)
    return await context.finish(claim)


async def _follow_names(context: HandlerContext, fact: InstallationFact) -> None:
    """Repositories that the App was given may be known under other names."""
    for name, repository in await asyncio.to_thread(_gained_and_known, context, fact):
        if repository.full_name != name:
            await names.ask_name(context, repository, name, fact.installation)


def _gained_and_known(
    context: HandlerContext, fact: InstallationFact
) -> list[tuple[str, Repository]]:
    with context.store.read() as work:
        gained = [
            (name, work.repositories.find(name, github_id=fact.ids.get(name)))
            for name in fact.gained
        ]
    return [(name, repository) for name, repository in gained if repository is not None]


async def _installed(context: HandlerContext, repository: Repository, *, otherwise: bool) -> bool:
    """Whether the App may act there at this moment; `otherwise` where nobody can be asked."""
    app = context.access.as_app if context.access else None
    if app is None:
        return otherwise
    try:
        return (await app.repository_installation(repository.full_name)).suspended_at is None
    except NotFound:
        return False


async def _still_so(context: HandlerContext, repository: Repository, action: str) -> bool:
    """Whether GitHub has the repository as this action left it."""
    ended = action in REPOSITORY_ENDED
    if context.access is None:
        return True
    try:
        # Not through the installation that the webhook names, which may have ended since.
        client = await context.access.client(repository.full_name)
        repository_now = await client.repository(repository.full_name)
    except (NotFound, Forbidden):  # nothing that the bot could act in
        return ended
    if repository_now.id != repository.github_id:  # another has the name now
        return ended
    if action == "deleted":
        return False
    return repository_now.archived is not (action == "unarchived")  # None: GitHub did not say


def _to_leave(
    context: HandlerContext, fact: InstallationFact, ended: str | None
) -> tuple[Repository, ...]:
    """The repositories of which this takes leave, but for those that were left before."""
    with context.store.read() as work:
        named = (work.repositories.find(name) for name in fact.lost)
        of_account = _of(work.repositories.all(), fact.account) if ended else ()
        repositories = {
            repository.id: repository
            for repository in (*named, *of_account)
            if repository is not None
        }
    return tuple(
        repository
        for repository in repositories.values()
        if presence.left_because(repository) is None
    )


def _leave(context: HandlerContext, repository: Repository, why: str) -> None:
    with context.store.begin() as work:
        presence.leave(work, repository, why, context.clock())


def _left_before(context: HandlerContext, fact: InstallationFact) -> tuple[Repository, ...]:
    """The repositories to which this may lead the bot back."""
    gained = set(map(name_key, fact.gained))
    with context.store.read() as work:
        repositories = work.repositories.all()
    renewed = (
        {repository.id for repository in _of(repositories, fact.account)}
        if fact.action in RENEWED
        else set()
    )
    return tuple(
        repository
        for repository in repositories
        if presence.left_because(repository)
        and (name_key(repository.full_name) in gained or repository.id in renewed)
    )


def _welcome(
    context: HandlerContext, claim: ClaimedDelivery, fact: InstallationFact, away: Set[int]
) -> None:
    """:param away: repositories in which the App may not act, whatever this webhook says."""
    now = context.clock()
    with context.store.begin() as work:
        if claim.event == "installation" and fact.action in RENEWED:
            of_account = _of(work.repositories.all(), fact.account)
            _renew(
                work,
                claim,
                (repository for repository in of_account if repository.id not in away),
                now,
            )
        for name in fact.gained:
            repository = deliveries.heard_of(work, name, fact.ids.get(name), now)
            if repository.id in away:
                continue
            presence.come_back(work, repository)
            _look_at_configuration(work, claim, repository, now)
            work.tasks.request("sync", repository.id, now)


def _renew(
    work: UnitOfWork, claim: ClaimedDelivery, repositories: Iterable[Repository], now: datetime
) -> None:
    for repository in repositories:
        if presence.left_because(repository) == presence.SUSPENDED:
            presence.come_back(work, repository)
        effective.look_anew(work, repository)
        _look_at_configuration(work, claim, repository, now)


def _look_at_configuration(
    work: UnitOfWork, claim: ClaimedDelivery, repository: Repository, now: datetime
) -> None:
    """Put a look at the file into the inbox: there may be hundreds, and each may have to wait."""
    installation = installation_of(claim.payload)
    work.inbox.accept(
        DeliveryRecord(
            guid=f"{claim.guid}-{effective.LOOK}-{repository.id}",
            event=effective.LOOK,
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
    return (
        repository
        for repository in repositories
        if name_key(repository.full_name.partition("/")[0]) == owner
    )


def _follow_repository(context: HandlerContext, now: datetime, fact: RepositoryFact) -> Repository:
    reference = fact.repository
    assert reference is not None  # noqa: S101 - see the caller
    with context.store.begin() as work:
        repository = work.repositories.find(reference.full_name, github_id=reference.id)
        if repository is None:
            return work.repositories.get_or_create(
                reference.full_name, now=now, github_id=reference.id
            )
        if fact.previous_full_name is not None:
            names.move(work, repository, fact.previous_full_name)
    return repository


def _leave_or_return(
    context: HandlerContext, repository: Repository, why: str | None, now: datetime
) -> None:
    with context.store.begin() as work:
        if why:
            presence.leave(work, repository, why, now)
        else:
            presence.come_back(work, repository)
