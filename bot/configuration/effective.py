"""What a repository wants of the bot: its configuration file, else its organisation's.

Read through GitHub with ETags and stored with the repository as rules, so that nobody reads a
file twice; what storing a delivery needs is kept beside them, so that it reads none at all. An
invalid file changes nothing: what was valid last stays in force.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.configuration import Problem, RepositoryConfiguration, parse
from bot.configuration.intake_rules import IntakeRules
from bot.configuration.last_reading import ORGANISATION, REPOSITORY, FileAtPlace, Reading
from bot.errors import ConfigurationInvalid
from bot.github.errors import BadPayload, Forbidden
from store.records import DeliveryRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.github.client import GitHubClient
    from store.database import Store
    from store.records import Repository
    from store.unit_of_work import UnitOfWork

CONFIGURATION_PATH = ".github/issue-tagger.yml"
CODE_OWNERS_PATHS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for it; the first that is there counts."""
LARGEST_CODE_OWNERS = 64 * 1024
"""Characters; GitHub reads up to 3 MB, which would be kept with the repository's rules."""
LOOK = "configuration"
"""An event that is none of GitHub's: the file is to be looked at, though nobody pushed it."""
FRESH_FOR = timedelta(minutes=10)
"""A push tells of every change; this is for pushes that never reached us. Asking costs nothing."""
READ_WITHIN = 5.0
"""Seconds that reading a file may take; the largest takes a hundredth of that."""

log = logging.getLogger(__name__)


def known_configuration(repository: Repository | None) -> RepositoryConfiguration | None:
    """The configuration as last read, None where it never was."""
    reading = Reading.of(repository) if repository else None
    return reading.configuration if reading else None


def configuration_in(
    work: UnitOfWork, repository: Repository | None
) -> RepositoryConfiguration | None:
    """The configuration as last read, in the labels' present names; None: it never was."""
    repository_configuration = known_configuration(repository)
    if repository_configuration is None or repository is None:
        return repository_configuration
    return repository_configuration.renamed(work.labels.renames(repository.id))


async def current_configuration(
    store: Store, client: GitHubClient | None, repository: Repository, now: datetime
) -> RepositoryConfiguration:
    """The configuration in force, looked for on GitHub where the last look is too old.

    :param client: None where there are no credentials: then what is known holds.
    :raises GitHubError: the file could not be asked for; better late than by a wrong rule.
    """
    reading = Reading.of(repository)
    if client is None:
        return reading.configuration if reading else RepositoryConfiguration.absent()
    # whichever way: a look in the future was dated by a clock that has been set back
    young = reading is not None and abs(now - reading.checked_at) < FRESH_FOR
    if reading is not None and young and not await asyncio.to_thread(_is_pushed, store, repository):
        return reading.configuration
    fresh = await refresh(store, client, repository, now)
    if fresh.own_problems and fresh.own_problems != (reading.own_problems if reading else ()):
        await asyncio.to_thread(_have_it_shown, store, repository, now)
    return fresh.configuration


def is_pushed_since(work: UnitOfWork, repository: Repository) -> bool:
    """Whether a push has come in, since the file was last read, that nobody has followed yet."""
    reading = Reading.of(repository)
    if reading is None:
        return False
    owner = repository.full_name.partition("/")[0]
    where = (repository.full_name, f"{owner}/.github")
    return work.inbox.awaits(where, "push", since=reading.checked_at)


def _is_pushed(store: Store, repository: Repository) -> bool:
    with store.read() as work:
        return is_pushed_since(work, repository)


async def refresh(
    store: Store, client: GitHubClient, repository: Repository, now: datetime
) -> Reading:
    """Ask GitHub for the file and keep what it says."""
    before = Reading.of(repository)
    reading = await _look(client, repository.full_name, before, now)
    if reading.configuration.advice.code_owners:
        owners = await _code_owners(client, repository.full_name, before)
        reading = replace(reading, code_owners=owners)
    if reading.problems:
        log.warning(
            "the configuration file is invalid and changes nothing",
            extra={
                "repository": repository.full_name,
                "problems": [str(problem) for problem in reading.problems],
            },
        )
    await asyncio.to_thread(_keep, store, repository.id, reading)
    return reading


def forget_configuration(store: Store, full_name: str) -> None:
    """Have the file looked for anew: in one repository, or, for `OWNER/.github`, in all of OWNER's.

    The texts stay, with their ETags; only their age is forgotten.
    """
    owner, _, name = full_name.partition("/")
    with store.begin() as work:
        for repository in work.repositories.all():
            same_owner = repository.full_name.partition("/")[0].casefold() == owner.casefold()
            same = repository.full_name.casefold() == full_name.casefold()
            if same or (name == ".github" and same_owner):
                look_anew(work, repository)


def look_anew(work: UnitOfWork, repository: Repository) -> None:
    """Have the file looked for when it is needed next, however young the last look is."""
    reading = Reading.of(repository)
    if reading is not None:
        replace(reading, checked_at=datetime.min.replace(tzinfo=UTC)).keep(work, repository.id)


async def _look(
    client: GitHubClient, full_name: str, before: Reading | None, now: datetime
) -> Reading:
    owner = full_name.partition("/")[0]
    places: dict[str, FileAtPlace] = {}
    for name, repository in ((REPOSITORY, full_name), (ORGANISATION, f"{owner}/.github")):
        last = (before.places if before else {}).get(name, FileAtPlace())
        places[name], problem = await _ask(client, repository, last)
        if problem or places[name].text is not None:
            return await _judged(places[name].text, problem, before, places, now)
    return Reading(now, places=places)


async def _code_owners(
    client: GitHubClient, full_name: str, before: Reading | None
) -> dict[str, FileAtPlace]:
    """What is where GitHub looks for CODEOWNERS, up to the first that is there."""
    places: dict[str, FileAtPlace] = {}
    for path in CODE_OWNERS_PATHS:
        last = (before.code_owners if before else {}).get(path, FileAtPlace())
        there, problem = await _ask(client, full_name, last, path)
        if problem or len(there.text or "") > LARGEST_CODE_OWNERS:
            message = problem or f"it is longer than {LARGEST_CODE_OWNERS} characters"
            log.warning("CODEOWNERS is not read", extra={"path": path, "reason": message})
            return {path: FileAtPlace()}
        places[path] = there
        if there.text is not None:
            break
    return places


async def _ask(
    client: GitHubClient, repository: str, last: FileAtPlace, path: str = CONFIGURATION_PATH
) -> tuple[FileAtPlace, str | None]:
    """What one place holds, and why it is no text."""
    try:
        file_text = await client.contents(repository, path, etag=last.etag)
    except BadPayload as error:
        return FileAtPlace(), str(error)
    except Forbidden as error:
        # Without the right to read contents nobody can configure the bot: it stays in shadow.
        return FileAtPlace(forbidden=True), str(error)
    if file_text is None:
        return FileAtPlace(), None
    if file_text.unchanged:
        return last, None
    return FileAtPlace(file_text.etag, file_text.text), None


async def _judged(
    text: str | None,
    problem: str | None,
    before: Reading | None,
    places: Mapping[str, FileAtPlace],
    now: datetime,
) -> Reading:
    before = before or Reading(now)
    if problem is not None or text is None:
        return replace(
            before, checked_at=now, problems=(Problem(1, "", problem or ""),), places=places
        )
    try:
        valid = await _read(text)
    except ConfigurationInvalid as error:
        return replace(before, checked_at=now, problems=error.problems, places=places)
    return Reading(now, valid.as_stored(), IntakeRules.by(valid), (), places)


async def _read(text: str) -> RepositoryConfiguration:
    """Read a file beside the loop.

    :raises ConfigurationInvalid: also where it takes too long.
    """
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await asyncio.to_thread(parse, text)
    except TimeoutError:
        message = f"reading it takes longer than {READ_WITHIN:g} s; shorten the file"
        raise ConfigurationInvalid([Problem(1, "", message)]) from None


def _keep(store: Store, repository_id: int, reading: Reading) -> None:
    with store.begin() as work:
        reading.keep(work, repository_id)


def _have_it_shown(store: Store, repository: Repository, now: datetime) -> None:
    """Put a look into the inbox: a file that nobody pushed is invalid by now, as by an upgrade."""
    with store.begin() as work:
        work.inbox.accept(
            DeliveryRecord(
                guid=f"{LOOK}-{repository.id}-{now.timestamp():.0f}",
                event=LOOK,
                payload={"repository": {"id": repository.github_id}},
                received_at=now,
                repository=repository.full_name,
            )
        )
