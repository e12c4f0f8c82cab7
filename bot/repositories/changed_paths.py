"""Which files pull requests change: read from GitHub once, by their names alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.configuration.effective import known_configuration
from bot.github.errors import Forbidden, Gone, NotFound
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from bot.github.client import GitHubClient
    from store.database import Store
    from store.records import Repository, StoredIssue
    from tagger.domain.strategy import Progress

MAX_READ = 500
"""Pull requests whose files are read in one sync, a request each; the next one goes on."""


async def read_paths(
    store: Store, client: GitHubClient, repository: str, pull_request: StoredIssue
) -> tuple[str, ...]:
    """Ask GitHub which files it changes, and keep what it says.

    None where the App may not read pull requests: their words are enough to go on.
    """
    try:
        paths = await client.changed_paths(repository, pull_request.number)
    except (Forbidden, Gone, NotFound):
        paths = ()
    await asyncio.to_thread(_keep, store, pull_request.id, paths)
    return paths


async def read_missing_paths(
    store: Store, client: GitHubClient, repository: Repository, progress: Progress = silent
) -> int:
    """Read the files of labelled pull requests, where the repository wants these labelled.

    :returns: how many pull requests were read.
    """
    configuration = known_configuration(repository)
    if configuration is None or not configuration.covers("pull_requests"):
        return 0
    with store.read() as work:
        pull_requests = work.issues.without_paths(repository.id, MAX_READ)
    for done, pull_request in enumerate(pull_requests, 1):
        await read_paths(store, client, repository.full_name, pull_request)
        progress("files of pull requests", done, len(pull_requests))
    return len(pull_requests)


def _keep(store: Store, issue_id: int, paths: tuple[str, ...]) -> None:
    with store.begin() as work:
        work.issues.set_paths(issue_id, paths)
