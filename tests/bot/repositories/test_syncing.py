"""Sync brings in everything once, only what changed later, and goes on after being killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.github.access import TokenAccess
from bot.github.auth import TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import RateLimited
from bot.repositories.syncing import Synced, sync
from bot.simulator.faults import Fault, secondary_limit
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from store.database import Store
    from tagger.domain.strategy import Progress

pytestmark = pytest.mark.anyio

REPO = "octo/lab"
URL = "http://github.test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends between two pages."""


class KillAfter:
    """A progress that ends the process at its n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, step: str, done: int, total: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Lab:
    """A repository on a simulated GitHub, and a store to bring it into."""

    def __init__(self, store: Store) -> None:
        self.now = NOW
        self.state = GitHubState(lambda: self.now, url=URL)
        self.state.add_repository(REPO)
        self.state.add_token("secret", "tagger[bot]")
        self.store = store

    def file(self, count: int, labels: tuple[str, ...] = ("bug",)) -> None:
        first = max(self.state.repository(REPO).issues, default=0)
        for number in range(first + 1, first + count + 1):
            self.now += timedelta(seconds=7)
            self.state.open_issue(REPO, f"Issue {number}", "text", by="ada")
            self.state.add_labels(REPO, number, labels, by="ada")

    async def sync(
        self, progress: Progress = silent, *, full: bool = False, url: str = URL
    ) -> Synced:
        self.state.url = url
        transport = SimulatorTransport(self.state)
        async with GitHubClient.open(url, auth=TokenAuth("secret"), transport=transport) as client:
            access = TokenAccess(client)
            return await sync(self.store, access, REPO, now=self.now, full=full, progress=progress)

    def stored(self) -> dict[int, tuple[str, ...]]:
        with self.store.read() as work:
            repository_id = work.repositories.get(REPO).id
            return {one.number: one.labels for one in work.issues.walk(repository_id)}

    def history(self, number: int) -> list[tuple[str, str, str]]:
        with self.store.read() as work:
            acts = work.labels.history(work.repositories.get(REPO).id, number)
        return [(act.label, act.action, act.actor_kind) for act in acts]


@pytest.fixture
def student_training(store: Store) -> Lab:
    return Lab(store)


async def test_everything_comes_in_and_a_second_sync_asks_conditionally_only(
    student_training: Lab,
) -> None:
    student_training.file(250)
    student_training.state.open_issue(REPO, "A change", "", by="ada", pull_request=True)
    first = await student_training.sync()
    assert (first.issues.new, first.labels, first.acts) == (251, 1, 250)
    assert student_training.stored() == dict.fromkeys(range(1, 251), ("bug",))
    student_training.state.requests.clear()
    second = await student_training.sync()
    assert (second.issues.new, second.issues.changed, second.acts) == (0, 0, 0)
    assert [one.path for one in student_training.state.requests if not one.conditional] == []
    assert {one.status for one in student_training.state.requests} == {304}


async def test_what_changes_later_comes_in_with_who_did_it(student_training: Lab) -> None:
    student_training.file(3)
    await student_training.sync()
    student_training.now += timedelta(minutes=5)
    student_training.state.remove_label(REPO, 2, "bug", by="grace")
    student_training.state.add_labels(REPO, 2, ["question"], by="other[bot]")
    student_training.state.add_labels(REPO, 3, ["question"], by="tagger[bot]")
    student_training.file(1, ("question",))
    done = await student_training.sync()
    assert (done.issues.new, done.issues.changed, done.acts) == (1, 2, 4)
    assert student_training.stored()[2] == ("question",)
    assert student_training.history(2) == [
        ("bug", "added", "person"),
        ("bug", "removed", "person"),
        ("question", "added", "bot"),
    ]
    assert student_training.history(3)[-1] == ("question", "added", "self")


async def test_another_address_of_github_is_walked_anew(student_training: Lab) -> None:
    student_training.file(250)
    with pytest.raises(Killed):
        await student_training.sync(KillAfter(2))
    elsewhere = await student_training.sync(url="http://github.test:8443")
    assert student_training.stored() == dict.fromkeys(range(1, 251), ("bug",))
    student_training.file(1)
    again = await student_training.sync(url=URL)
    assert again.issues.new == 1
    assert elsewhere.issues.changed == 0


@pytest.mark.parametrize("kills", [(1,), (2, 1), (3, 4, 2), (5, 1, 1)])
async def test_a_killed_sync_goes_on_and_ends_complete(
    student_training: Lab, kills: tuple[int, ...]
) -> None:
    student_training.file(420)
    for calls in kills:
        with pytest.raises(Killed):
            await student_training.sync(KillAfter(calls))
        student_training.file(30)
    await student_training.sync()
    total = 420 + 30 * len(kills)
    assert student_training.stored() == dict.fromkeys(range(1, total + 1), ("bug",))
    assert all(
        student_training.history(n) == [("bug", "added", "person")] for n in range(1, total + 1)
    )


async def test_a_resumed_sync_does_not_ask_for_pages_that_are_stored(student_training: Lab) -> None:
    student_training.file(420)
    with pytest.raises(Killed):
        await student_training.sync(KillAfter(3))
    before = {
        (one.path, str(one.query)) for one in student_training.state.requests if one.status == 200
    }
    student_training.state.requests.clear()
    await student_training.sync()
    again = [one for one in student_training.state.requests if (one.path, str(one.query)) in before]
    assert {one.status for one in again} <= {304}


async def test_full_reads_everything_again_and_changes_nothing(student_training: Lab) -> None:
    student_training.file(120)
    await student_training.sync()
    student_training.state.requests.clear()
    done = await student_training.sync(full=True)
    assert (done.issues.new, done.issues.changed, done.acts) == (0, 0, 0)
    assert any(
        one.path.endswith("/issues") and one.status == 200
        for one in student_training.state.requests
    )


async def test_full_forgets_issues_that_are_gone_and_no_others(student_training: Lab) -> None:
    student_training.file(120)
    await student_training.sync()
    student_training.state.add_repository("octo/other")
    student_training.state.delete_issue(REPO, 7, by="ada")
    student_training.state.transfer_issue(REPO, 70, "octo/other", by="ada")
    assert (await student_training.sync()).forgotten == 0
    student_training.state.requests.clear()
    done = await student_training.sync(full=True)
    assert done.forgotten == 2
    assert set(student_training.stored()) == set(range(1, 121)) - {7, 70}
    asked = [one.path for one in student_training.state.requests if one.path.count("/issues/") == 1]
    assert sorted(one for one in asked if not one.endswith("events")) == [
        f"/repos/{REPO}/issues/7", f"/repos/{REPO}/issues/70", "/repos/octo/other/issues/1",
    ]  # fmt: skip


async def test_an_event_of_an_issue_filed_meanwhile_brings_the_issue_along(
    student_training: Lab,
) -> None:
    student_training.file(5)

    def file_one_more(step: str, done: int, total: int) -> None:
        if step.startswith("issues") and len(student_training.state.repository(REPO).issues) == 5:
            student_training.file(1)

    await student_training.sync(file_one_more)
    assert student_training.stored()[6] == ("bug",)
    assert student_training.history(6) == [("bug", "added", "person")]


async def test_a_rate_limit_in_the_middle_keeps_what_was_read(student_training: Lab) -> None:
    student_training.file(250)

    def limit(step: str, done: int, total: int) -> None:
        if done == 100 and not student_training.state.faults:
            student_training.state.fail_next(secondary_limit(retry_after=86_000))

    with pytest.raises(RateLimited):
        await student_training.sync(limit)
    assert len(student_training.stored()) == 100
    done = await student_training.sync()
    assert len(student_training.stored()) == 250
    assert done.issues.new == 150


async def test_a_token_that_may_not_ask_who_it_is_syncs_all_the_same(student_training: Lab) -> None:
    student_training.file(2)
    student_training.state.fail_next(
        Fault(403, {}, "Resource not accessible by integration", path="/user")
    )
    done = await student_training.sync()
    assert done.acts == 2


async def test_history_that_github_no_longer_lists_is_told(student_training: Lab) -> None:
    student_training.file(250)

    refused = []

    def refuse_the_second_page(step: str, done: int, total: int) -> None:
        if step.startswith("label history") and not refused:
            refused.append(step)
            student_training.state.fail_next(
                Fault(422, {}, "pagination is limited for this resource")
            )

    done = await student_training.sync(refuse_the_second_page)
    assert "out of reach" in done.note
    again = await student_training.sync()
    assert again.note == ""


async def test_a_sync_sees_an_issue_s_type_and_that_it_was_locked(student_training: Lab) -> None:
    def seen() -> tuple[str, bool]:
        with student_training.store.read() as work:
            issue = work.issues.get(work.repositories.get(REPO).id, 1)
        return issue.type, issue.locked

    student_training.file(1)
    await student_training.sync()
    assert seen() == ("", False)
    student_training.now += timedelta(minutes=5)
    student_training.state.set_locked(REPO, 1, True, by="ada")
    student_training.state.set_type(REPO, 1, "Bug", by="ada")
    assert (await student_training.sync()).issues.changed == 1
    assert seen() == ("Bug", True)
    student_training.now += timedelta(minutes=5)
    student_training.state.set_type(REPO, 1, None, by="ada")
    await student_training.sync()
    assert seen() == ("", True)
