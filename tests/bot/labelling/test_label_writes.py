"""Labels are set and taken off on GitHub itself: what it refuses, and what a write creates."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, REPO

from bot.configuration import parse
from bot.errors import SnapshotOutdated
from bot.github.errors import Forbidden
from bot.labelling.issue_job import IssueJob, Subject
from bot.labelling.label_writes import set_labels, take_off
from bot.labelling.snapshot import look_again
from bot.simulator.faults import Fault

pytestmark = pytest.mark.anyio


class Hand:
    """The bot's hand on issue 1, which has just been looked at."""

    def __init__(self, bench) -> None:
        self.bench, self.store = bench, bench.installation.store

    async def snapshot(self) -> Hand:
        self.bench.receive(self.bench.github.open_issue(REPO, "words", by="ada"))
        with self.store.read() as work:
            repository = work.repositories.get(REPO)
            subject = Subject(repository, work.issues.get(repository.id, 1), {})
        self.client = await self.bench.context.access.client(REPO)
        job = IssueJob(self.bench.context, None, subject, parse("mode: apply"), self.client)
        self.job, self.seen = await look_again(job, self.client)
        return self

    def intend(self, *labels: str):
        now = self.bench.clock()
        with self.store.begin() as work:
            run = work.writes.open_run(self.job.subject.repository.id, "webhook", now)
            return work.writes.intend(run.id, 1, labels, now)

    async def set(self, *labels: str) -> list[str]:
        """Why each label was refused, "" for one that is set."""
        writes = self.intend(*labels)
        refused = (await set_labels(self.job, self.client, self.seen, writes)).refused
        return [refused.get(write.id, "") for write in writes]

    def reasons(self) -> list[str]:
        with self.store.read() as work:
            found = work.writes.list(repository_id=self.job.subject.repository.id)
        return [write.reason for write in found]


@pytest.fixture
async def hand(bench) -> Hand:
    return await Hand(bench).snapshot()


async def test_labels_that_the_look_has_seen_are_set(bench, hand) -> None:
    assert await hand.set("bug", "docs") == ["", ""]
    assert bench.labels(1) == ["bug", "docs"]


async def test_of_several_only_the_one_that_github_refuses_is_left(bench, hand) -> None:
    refusal = Fault(422, {}, "too many labels")
    bench.github.fail_next(refusal, refusal)  # together, then the first alone
    first, second = await hand.set("bug", "docs")
    assert "too many labels" in first
    assert (second, bench.labels(1)) == ("", ["docs"])


async def test_an_issue_that_is_gone_takes_no_label(bench, hand) -> None:
    bench.github.delete_issue(REPO, 1, by="ada")
    assert await hand.set("bug", "docs") == ["the issue is gone"] * 2


async def test_an_issue_that_moved_is_looked_at_again(bench, hand) -> None:
    bench.github.add_repository("acme/pad")
    bench.github.transfer_issue(REPO, 1, "acme/pad", by="ada")
    with pytest.raises(SnapshotOutdated, match="not where it was"):
        await hand.set("bug")


async def test_a_label_that_the_write_created_goes_again(bench, hand) -> None:
    bench.github.delete_label(REPO, "bug", by="ada")
    with pytest.raises(SnapshotOutdated, match="renamed or deleted"):
        await hand.set("bug")
    assert bench.labels(1) == []
    assert "bug" not in bench.github.repository(REPO).labels
    assert hand.reasons() == ["the label was renamed or deleted meanwhile"]


async def test_a_removal_is_put_down_before_it_is_asked_for(bench, hand) -> None:
    (write,) = hand.intend("bug")
    bench.github.add_labels(REPO, 1, ["bug"], by=BOT)
    await take_off(hand.job, hand.client, write, "a person removed it")
    assert (bench.labels(1), hand.reasons()) == ([], ["a person removed it"])


async def test_a_removal_that_cannot_have_happened_is_no_longer_put_down(bench, hand) -> None:
    (write,) = hand.intend("bug")
    bench.github.add_labels(REPO, 1, ["bug"], by=BOT)
    bench.github.fail_next(Fault(403, {}, "Resource not accessible"))
    with pytest.raises(Forbidden):
        await take_off(hand.job, hand.client, write, "a person removed it")
    assert (bench.labels(1), hand.reasons()) == (["bug"], [""])
