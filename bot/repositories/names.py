"""Under which name a repository is asked for: its id says which it is, GitHub what it is called.

A payload says what a repository was called when it was sent. That may be days ago, and the name
may be somebody else's by now; so wherever a name disagrees with the one stored, GitHub is asked.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.configuration import effective
from bot.github.errors import Forbidden, NotFound
from bot.receiving.handler_context import installation_of, repository_of
from bot.receiving.repository_labels import LabelList
from bot.repositories import syncing

if TYPE_CHECKING:
    from bot.receiving.handler_context import HandlerContext
    from store.records import ClaimedDelivery, Repository
    from store.unit_of_work import UnitOfWork


async def follow_name(context: HandlerContext, claim: ClaimedDelivery) -> Repository | None:
    """Have the delivery's repository under its present name, where the payload has another one.

    :returns: the repository as it is stored then; None: it is not.
    :raises GitHubError: GitHub could not be asked; the delivery runs again.
    """
    repository = await asyncio.to_thread(repository_of, context, claim)
    reference = claim.payload.get("repository")
    name = reference.get("full_name") if isinstance(reference, dict) else None
    if repository is None or not isinstance(name, str) or name == repository.full_name:
        return repository
    await ask_name(context, repository, name, installation_of(claim.payload))
    return await asyncio.to_thread(repository_of, context, claim)


async def ask_name(
    context: HandlerContext, repository: Repository, told_name: str, installation: int | None = None
) -> None:
    """Ask GitHub what a repository is called, and call it so from now on.

    Where GitHub does not say, it stays as it is; where nobody can be asked, `told` is believed.

    :param told: what it was called according to a payload.
    :raises GitHubError: GitHub could not be asked.
    """
    if context.access is None:
        await asyncio.to_thread(_call, context, repository, told_name)
        return
    name_before = repository.full_name if names_a_repository(repository.full_name) else told_name
    for name in dict.fromkeys((told_name, name_before)):
        try:
            # An installation is remembered by name: ours must not be, by one that is another's.
            client = await context.access.client(
                name_before if installation else name, installation
            )
            repository_now = await client.repository(name)
        except (NotFound, Forbidden):  # another installation's by now, or nobody's
            continue
        if repository_now.id is not None and repository_now.id == repository.github_id:
            await asyncio.to_thread(_call, context, repository, repository_now.full_name)
            return


def names_a_repository(full_name: str) -> bool:
    """False for one that had to step aside: its name is another's, its own is not known yet."""
    return "#" not in full_name


def _call(context: HandlerContext, repository: Repository, full_name: str) -> None:
    with context.store.begin() as work:
        present = work.repositories.get_or_create(
            full_name, now=context.clock(), github_id=repository.github_id
        )
        if repository.full_name != present.full_name:
            move(work, present, repository.full_name)


def move(work: UnitOfWork, repository: Repository, previous: str) -> None:
    """Ask under the new name from now on: the old one may be somebody else's tomorrow."""
    for name in (syncing.ISSUES, syncing.EVENTS):
        stored = repository.cursors.get(name)
        work.repositories.set_cursor(
            repository.id, name, _renamed(stored, previous, repository.full_name)
        )
    address_now = partial(_address_now, previous=previous, present=repository.full_name)
    if repository.label_list is not None:
        LabelList.of(repository).moved(address_now).keep(work, repository.id)
    # Another owner has another `.github` repository: what the file said there no longer holds.
    same_owner = previous.partition("/")[0] == repository.full_name.partition("/")[0]
    if same_owner:
        effective.look_anew(work, repository)
    else:
        work.repositories.set_configuration(repository.id, None, None)


def _renamed(stored: Any, previous: str, present: str) -> Any:
    """What was kept, with the repository's new name in every address, keys included."""
    if isinstance(stored, dict):
        return {
            _renamed(key, previous, present): _renamed(value, previous, present)
            for key, value in stored.items()
        }
    if isinstance(stored, list):
        return [_renamed(item, previous, present) for item in stored]
    return _address_now(stored, previous, present) if isinstance(stored, str) else stored


def _address_now(address: str, previous: str, present: str) -> str:
    old = re.compile(rf"/repos/{re.escape(previous)}(?=/)", re.IGNORECASE)
    return old.sub(f"/repos/{present}", address)
