"""Several workers on one database: no issue twice, none at the same time by two."""

from __future__ import annotations

import asyncio

import pytest
from fakes_bot import BOT, LABELS, REPO, FakeReleases

from bot.container import Container
from bot.jobs.delivery_handlers import handle
from bot.jobs.delivery_queue import DeliveryQueue
from bot.receiving.deliveries import keep, understand
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio
ISSUES = 12


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return request.getfixturevalue("database_url")
    request.getfixturevalue("postgres_store")  # empties it afterwards
    return request.getfixturevalue("postgres_url")


async def test_three_workers_share_the_work(any_url, settings, github, clock) -> None:
    github.push_file(REPO, ".github/issue-tagger.yml", "mode: apply\ndelay_seconds: 0\n")
    releases = FakeReleases()
    installations = [
        Container(
            settings.model_copy(update={"database_url": any_url}),
            clock=clock,
            transport=SimulatorTransport(github),
            open_release=releases,
        )
        for _ in range(3)
    ]
    first = installations[0]
    releases.promote(first.store, "r1", LABELS, clock())
    for number in range(1, ISSUES + 1):
        github.open_issue(REPO, "a bug in docs")
        clock.advance(seconds=1)
        github.edit_issue(REPO, number, by="ada", title="surely a bug in docs")
    for delivery in list(github.deliveries):
        received = understand(delivery.guid, delivery.event, delivery.payload, clock())
        with first.store.begin() as work:
            keep(work, received, BOT)
    at_work: dict[int | None, str] = {}
    worked: list[int | None] = []

    async def watched(context, claim):
        before = at_work.get(claim.issue_number)
        with first.store.read() as work:
            assert before is None or work.inbox.find(before).state == "done", "two have one issue"
        at_work[claim.issue_number] = claim.guid
        worked.append(claim.issue_number)
        return await handle(context, claim)

    workers = [DeliveryQueue(one.context(), job=watched) for one in installations]
    while sum(await asyncio.gather(*(worker.run_until_empty() for worker in workers))):
        pass
    with first.store.read() as work:
        counts, predictions = work.inbox.counts(), work.predictions.count()
    assert counts["done"] == 2 * ISSUES + 1
    assert counts["failed"] == counts["pending"] == 0
    assert predictions == 2 * ISSUES == len([one for one in worked if one])
    for number in range(1, ISSUES + 1):
        events = [event.event for event in github.issue(REPO, number).events]
        assert sorted(github.issue(REPO, number).label_names) == ["bug", "docs"]
        assert events.count("labeled") == 2
    for worker, one in zip(workers, installations, strict=True):
        await worker._context.access.aclose()
        one.close()
