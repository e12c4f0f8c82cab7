"""Past comments are read where the file asks for duplicates, and only the links in them kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.github.access import TokenAccess
from bot.github.auth import TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import RateLimited
from bot.repositories.syncing import sync
from bot.simulator.faults import secondary_limit
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from store.records import DuplicateLink
from tagger.domain.strategy import silent

pytestmark = pytest.mark.anyio

REPO = "octo/lab"
URL = "http://github.test"
ASKED = "advice: {duplicates: measured}\n"
COMMENTS = f"/repos/{REPO}/issues/comments"


class Killed(BaseException):
    """The process ends between two pages."""


class Lab:
    """Ten issues on a simulated GitHub, and a store to bring them into."""

    def __init__(self, store) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.state = GitHubState(lambda: self.now, url=URL)
        self.state.add_repository(REPO)
        self.state.add_token("secret", "tagger[bot]")
        self.state.set_role(REPO, "mona", "triage")
        self.store = store
        self.configure(ASKED)
        for number in range(1, 11):
            self.state.open_issue(REPO, f"Issue {number}", "text", by="ada")

    def configure(self, text: str) -> None:
        self.state.repository(REPO).files[".github/issue-tagger.yml"] = text

    def say(self, number: int, body: str, by: str = "mona") -> None:
        self.now += timedelta(seconds=7)
        self.state.comment(REPO, number, body, by=by)

    async def sync(self, *, full: bool = False, progress=silent) -> None:
        transport = SimulatorTransport(self.state)
        async with GitHubClient.open(URL, auth=TokenAuth("secret"), transport=transport) as client:
            await sync(
                self.store, TokenAccess(client), REPO, now=self.now, full=full, progress=progress
            )

    def links(self) -> list[tuple[int, int]]:
        with self.store.read() as work:
            links = work.advice.links(work.repositories.get(REPO).id)
        assert all(isinstance(link, DuplicateLink) for link in links)
        return [(link.number, link.original) for link in links]

    def pages_asked(self) -> int:
        return len([seen for seen in self.state.requests if seen.path == COMMENTS])


@pytest.fixture
def lab(store) -> Lab:
    return Lab(store)


async def test_links_are_kept_of_those_who_may_say_so(lab: Lab) -> None:
    lab.state.open_issue(REPO, "A change", pull_request=True, by="ada")
    lab.say(3, "Duplicate of #1")
    lab.say(4, "Duplicate of #2", by="stranger")
    lab.say(5, "Duplicate of #2", by="helper[bot]")
    lab.say(6, "Is it a duplicate of #2?")
    lab.say(11, "Duplicate of #2")
    lab.say(7, "thanks, see the other one")
    await lab.sync()
    assert lab.links() == [(3, 1)]


@pytest.mark.parametrize("text", ["mode: suggest\n", "advice: {duplicates: off}\n", "mode: [\n"])
async def test_no_comment_is_read_unless_the_file_asks_for_it(lab: Lab, text: str) -> None:
    lab.configure(text)
    lab.say(3, "Duplicate of #1")
    await lab.sync()
    assert lab.links() == []
    assert lab.pages_asked() == 0


async def test_once_it_is_asked_for_all_of_the_past_is_read(lab: Lab) -> None:
    lab.configure("mode: suggest\n")
    lab.say(3, "Duplicate of #1")
    await lab.sync()
    lab.configure(ASKED)
    lab.now += timedelta(hours=1)
    await lab.sync()
    assert lab.links() == [(3, 1)]


async def test_the_next_sync_asks_for_what_changed_since(lab: Lab) -> None:
    for n in range(150):
        lab.say(n % 10 + 1, "thanks")
    await lab.sync()
    assert lab.pages_asked() == 2
    lab.state.requests.clear()
    await lab.sync()
    (again,) = [seen for seen in lab.state.requests if seen.path == COMMENTS]
    assert again.conditional
    assert again.query["since"]
    lab.say(4, "Duplicate of #2")
    await lab.sync()
    assert lab.links() == [(4, 2)]


async def test_one_that_is_killed_goes_on_where_it_was(lab: Lab) -> None:
    for n in range(250):
        lab.say(n % 10 + 1, "Duplicate of #1" if n in {3, 244} else "thanks")

    def kill(step: str, done: int, _: int) -> None:
        if step.startswith("comments") and done >= 100:
            raise Killed

    with pytest.raises(Killed):
        await lab.sync(progress=kill)
    assert lab.links() == [(4, 1)]
    lab.state.requests.clear()
    await lab.sync()
    assert lab.links() == [(4, 1), (5, 1)]
    assert all("since" in seen.query for seen in lab.state.requests if seen.path == COMMENTS)
    lab.state.requests.clear()
    await lab.sync(full=True)
    assert lab.pages_asked() == 3


async def test_a_rate_limit_ends_it_and_what_was_read_stays(lab: Lab) -> None:
    for n in range(150):
        lab.say(n % 10 + 1, "Duplicate of #1" if n == 3 else "thanks")

    def limit(step: str, done: int, _: int) -> None:
        if step.startswith("comments") and done == 100:
            lab.state.fail_next(secondary_limit(3600))

    with pytest.raises(RateLimited):
        await lab.sync(progress=limit)
    assert lab.links() == [(4, 1)]
