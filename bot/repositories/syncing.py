"""Sync: issues, labels and who set them, from GitHub into the store.

Each page is stored together with the place to go on from, in one transaction: a sync that is
killed goes on where it was, and one that finds nothing new asks conditionally and is told 304.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.github.errors import Invalid, Refused
from bot.github.resource import KnownPage
from bot.receiving.deliveries import issue_record
from bot.receiving.repository_labels import labels_now
from bot.repositories.census import forget_gone
from bot.repositories.changed_paths import read_missing_paths
from bot.repositories.discussions import DISCUSSIONS, read_discussions
from bot.repositories.label_history import EventWalk, label_events, own_acts
from bot.repositories.past_comments import COMMENTS, read_past_comments
from store.records import UpsertCounts
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.github.access import Access
    from bot.github.client import GitHubClient
    from bot.github.models import Issue, IssueEvent
    from bot.github.resource import Page
    from bot.repositories.label_history import OwnAct
    from store.database import Store
    from store.records import Repository
    from tagger.domain.strategy import Progress

ISSUES, EVENTS = "issues", "events"
"""Names in `Repository.cursors`."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought in.

    :ivar issues: pull requests and discussions among them.
    :ivar labels: how many labels the repository has.
    :ivar acts: label acts that are new to the history.
    :ivar forgotten: issues that GitHub has no longer there; looked for only where all are listed.
    :ivar note: why the history does not reach back to its beginning; "" where it does.
    """

    repository: str
    issues: UpsertCounts
    labels: int
    acts: int
    forgotten: int = 0
    note: str = ""


async def sync(
    store: Store,
    access: Access,
    repository: str,
    *,
    now: datetime,
    full: bool = False,
    census: bool = False,
    progress: Progress = silent,
) -> Synced:
    """Bring in what changed on GitHub since the last sync, or, the first time, everything.

    :param full: from the beginning, whatever was brought in before, and a census.
    :param census: list all issues once more, and forget those that GitHub has no longer.
    :raises GitHubError: GitHub refuses, or asks to come back later than a request waits; what
        was read until then is stored.
    """
    client = await access.client(repository)
    begins_anew: tuple[str, ...] = (ISSUES, DISCUSSIONS) if full or census else ()
    begins_anew += (EVENTS, COMMENTS) if full else ()
    stored = await _known(store, client, repository, now, begins_anew)
    labels = await labels_now(store, client, stored, now)
    numbers_seen: set[int] = set()
    issues = await _issues(store, client, stored, now, numbers_seen, progress)
    discussed: set[int] = set()
    discussions, all_listed = await read_discussions(
        store, client, stored, discussed, now, progress
    )
    gone = 0
    if begins_anew:
        seen = numbers_seen | (discussed if all_listed else await _discussions(store, stored))
        gone = await forget_gone(store, client, stored, seen, progress, now)
    await read_missing_paths(store, client, stored, progress)
    acts, note = await _History(
        store, access, client, stored, now=now, progress=progress
    ).bring_in()
    # Last: where a limit ends the sync, people's label acts are in.
    await read_past_comments(store, client, stored, now, progress)
    return Synced(stored.full_name, issues + discussions, len(labels.names), acts, gone, note)


async def _discussions(store: Store, repository: Repository) -> frozenset[int]:
    """Stored discussions: where they were not listed, nothing tells that one is gone."""

    def read() -> frozenset[int]:
        with store.read() as work:
            return work.issues.discussions(repository.id)

    return await asyncio.to_thread(read)


async def _known(
    store: Store,
    client: GitHubClient,
    repository: str,
    now: datetime,
    begins_anew: Sequence[str],
) -> Repository:
    """The repository as stored; GitHub is asked for its id where it is not known yet.

    :param begins_anew: cursors to forget.
    """
    with store.read() as work:
        repository_row = work.repositories.find(repository)
    if repository_row is not None and repository_row.github_id is not None and not begins_anew:
        return repository_row
    repository_now = await ask_who(store, client, repository, now)
    with store.begin() as work:
        for name in begins_anew:
            work.repositories.set_cursor(repository_now.id, name, None)
        return work.repositories.by_id(repository_now.id)


async def ask_who(store: Store, client: GitHubClient, repository: str, now: datetime) -> Repository:
    """The repository under the name that it has on GitHub now."""
    repository_now = await client.repository(repository)
    with store.begin() as work:
        return work.repositories.get_or_create(
            repository_now.full_name, now=now, github_id=repository_now.id
        )


async def _issues(
    store: Store,
    client: GitHubClient,
    repository: Repository,
    now: datetime,
    numbers_seen: set[int],
    progress: Progress,
) -> UpsertCounts:
    """Bring issues in; their numbers go into `seen`."""
    stored = repository.cursors.get(ISSUES) or {}
    known_pages = {url: KnownPage(**page) for url, page in stored.get("known", {}).items()}
    counts, done = UpsertCounts(), 0
    pages = client.issues(
        repository.full_name, cursor=stored.get("cursor"), known_pages=known_pages
    )
    async for page in pages:
        counts += await asyncio.to_thread(_keep_issues, store, repository.id, page, now)
        numbers_seen.update(issue.number for issue in page.items)
        done += len(page.items)
        progress("issues from GitHub", done, 0)
    return counts


def _keep_issues(
    store: Store, repository_id: int, page: Page[Issue], now: datetime
) -> UpsertCounts:
    cursor: dict[str, Any] = {"cursor": page.next or page.window}
    if page.known and not page.next:
        # Only where the walk ends is asked again: the next sync's first question.
        cursor["known"] = {page.url: asdict(page.known)}
    with store.begin() as work:
        counts = work.issues.upsert(
            repository_id, [issue_record(issue, now) for issue in page.items]
        )
        work.repositories.set_cursor(repository_id, ISSUES, cursor)
    return counts


class _History:
    """Walks the repository's issue events and stores who did what to which label."""

    def __init__(
        self,
        store: Store,
        access: Access,
        client: GitHubClient,
        repository: Repository,
        *,
        now: datetime,
        progress: Progress,
    ) -> None:
        self._store = store
        self._access = access
        self._client = client
        self._repository = repository
        self._now = now
        self._progress = progress
        self._numbers: set[int] | None = None
        self._own: frozenset[OwnAct] = frozenset()
        self._login: str | None = None
        self._read = 0
        self._new = 0

    async def bring_in(self) -> tuple[int, str]:
        """How many acts are new, and why older ones may be missing, if so.

        A walk that an earlier sync left unfinished goes first: what came since lies before it.
        """
        walk = EventWalk.of(self._repository.cursors.get(EVENTS))
        note = ""
        if walk.next is not None:
            walk, note = await self._walk(walk)
        walk, later_note = await self._walk(walk)
        return self._new, note or later_note

    async def _walk(self, walk: EventWalk) -> tuple[EventWalk, str]:
        pages = self._client.issue_events(
            self._repository.full_name, cursor=walk.next, known_pages=walk.known
        )
        try:
            async for page in pages:
                if page.unchanged:
                    break
                walk = walk.after(page)
                await self._keep(page.items, walk)
                if walk.next is None:
                    break
        except Invalid as refused:
            if walk.next is None:
                raise
            walk = walk.ended()  # GitHub lists only so many pages of a large repository
            await self._keep((), walk)
            return walk, f"older label history is out of reach: {refused}"
        return walk, ""

    async def _keep(self, events: Sequence[IssueEvent], walk: EventWalk) -> None:
        if self._numbers is None:
            self._login = await own_login(self._access)
        self._new += await asyncio.to_thread(self._store_page, events, walk)
        self._read += len(events)
        self._progress("label history from GitHub", self._read, 0)

    def _store_page(self, events: Sequence[IssueEvent], walk: EventWalk) -> int:
        repository_id = self._repository.id
        with self._store.begin() as work:
            if self._numbers is None:
                self._numbers = set(work.issues.numbers(repository_id))
                self._own = own_acts(work.writes.list(repository_id=repository_id))
            renames = work.labels.renames(repository_id)
            acts = list(label_events(events, self._login, self._own, renames))
            unknown = {act.number for act in acts} - self._numbers
            filed = {event.issue.number: event.issue for event in events if event.issue}
            late = [issue_record(filed[number], self._now) for number in sorted(unknown)]
            work.issues.upsert(repository_id, late)
            self._numbers |= unknown
            new = work.labels.record_events(repository_id, acts)
            work.repositories.set_cursor(repository_id, EVENTS, walk.as_json())
        return new


async def own_login(access: Access) -> str | None:
    """The login under which the bot acts.

    None where one may not ask: without credentials, and with the token of GitHub Actions.
    """
    try:
        return await access.login()
    except Refused:
        return None
