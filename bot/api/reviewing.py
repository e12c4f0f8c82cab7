"""Repositories, Today, decisions, retries: the answers behind the first pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.api.documents import (
    DecidedDocument,
    RepositoriesDocument,
    RepositoryDocument,
    ReviewItemDocument,
    StandingDocument,
    TodayDocument,
)
from bot.api.refusals import ApiRefusal, in_refusals
from bot.operations.failed_deliveries import given_up, set_going
from bot.reviewing.deciding_labels import ReviewOrder, decide, undo
from bot.reviewing.today import item_of, read_day, start_of_yesterday
from bot.signin.roles import Role

if TYPE_CHECKING:
    from datetime import datetime

    from bot.api.api_context import ApiContext
    from bot.api.documents import DecisionOrder
    from bot.signin.viewers import Viewer
    from store.records import Repository
    from store.unit_of_work import UnitOfWork


async def repositories(api: ApiContext, viewer: Viewer) -> RepositoriesDocument:
    """Those that who asks may see; of no other is anything read."""
    with in_refusals():
        roles = await viewer.everywhere()
    documents = await api.read(lambda work: _repositories(work, roles))
    return RepositoriesDocument(repositories=documents)


async def today(
    api: ApiContext, viewer: Viewer, name: str, days: int = 1, before: datetime | None = None
) -> TodayDocument:
    """What the bot set, suggested and left since midnight so many days before today's."""
    now = api.now()
    since = start_of_yesterday(now, days)
    async with api.opened(viewer, name) as repository:
        day, release = await api.read(
            lambda work: (
                read_day(work, repository, since, before),
                work.releases.active_of([repository.id]).get(repository.id),
            )
        )
        standing = await asyncio.to_thread(api.standings.of, repository, now)
        return TodayDocument.model_validate(
            vars(day)
            | {
                "repository": repository.full_name,
                "release": release,
                "standing": StandingDocument.model_validate(standing) if standing else None,
            }
        )


async def decided(
    api: ApiContext, viewer: Viewer, name: str, order: DecisionOrder
) -> DecidedDocument:
    """Approve, dismiss or take back, and how the label stands then."""
    async with api.opened(viewer, name) as repository:
        reviewing, person = api.reviewing(repository), await api.person(viewer, repository)
        if order.decision == "undo":
            decision = await undo(reviewing, person, order.number, order.label)
        else:
            wanted = ReviewOrder(order.number, order.label, order.decision, order.origin)
            decision = await decide(reviewing, person, wanted)
        api.standings.outdated(repository)
        item = await api.read(
            lambda work: item_of(work, repository.id, decision.number, decision.label)
        )
        return DecidedDocument(
            number=decision.number,
            label=decision.label,
            decision="undone" if decision.undone_at else decision.verdict,  # type: ignore[arg-type]  # none was skipped
            place=decision.place,
            item=ReviewItemDocument.model_validate(item) if item else None,
        )


async def retried(api: ApiContext, viewer: Viewer, name: str, guid: str) -> None:
    """Set a webhook going again that was given up."""
    async with api.opened(viewer, name) as repository:
        await asyncio.to_thread(_retry, api, repository, guid)


def _retry(api: ApiContext, repository: Repository, guid: str) -> None:
    failed = given_up(api.store, repository.full_name, [guid])
    if not set_going(api.store, failed, api.now()):
        raise ApiRefusal(409, "Its payload is no longer kept: GitHub may send it once more.")


def _repositories(work: UnitOfWork, roles: dict[str, Role] | None) -> list[RepositoryDocument]:
    """:param roles: by name; None: every repository, and all may be done there."""
    if roles is None:
        stored = {each.id: each for each in work.repositories.all()}
        allowed = dict.fromkeys(stored, Role.ADMIN)
    else:
        by_name = {name: work.repositories.find(name) for name in roles}
        stored = {each.id: each for each in by_name.values() if each is not None}
        allowed = {each.id: roles[name] for name, each in by_name.items() if each is not None}
    releases = work.releases.active_of(stored)
    unanswered = work.writes.count_unanswered(stored)
    return [
        RepositoryDocument(
            name=repository.full_name,
            role="admin" if allowed[repository.id] is Role.ADMIN else "triage",
            release=releases.get(repository.id),
            unanswered=unanswered.get(repository.id, 0),
        )
        for repository in sorted(stored.values(), key=lambda each: each.full_name.casefold())
    ]
