"""A sweep makes up for what was missed, once, wherever it is ended; and forgets what is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fakes_bot import LABELS, REPO, FakeReleases

from bot.container import Container
from bot.errors import CommandRefused
from bot.jobs.delivery_queue import DeliveryQueue
from bot.process.settings import Settings
from bot.receiving.deliveries import keep, understand
from bot.repositories.reconciling import Reconciled, reconcile, sweep
from bot.simulator.faults import secondary_limit
from bot.simulator.transport import SimulatorTransport
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Bench
    from fakes_bot import Clock

    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"


class Killed(BaseException):
    """The process ends in the middle."""


@pytest.fixture
def as_app(
    database_url: str, tmp_path: Path, clock: Clock, github: GitHubState, releases: FakeReleases
) -> Iterator[Container]:
    """The installation of an App, which may ask for its deliveries."""
    app = github.create_app("tagger")
    github.install(app, REPO)
    github.deliveries.clear()
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        github_api_url=github.url,
        github_app_id=app.id,
        github_private_key=app.private_key,
    )
    made = Container(
        settings, clock=clock, transport=SimulatorTransport(github), open_release=releases
    )
    releases.promote(made.store, "r1", LABELS, clock())
    yield made
    made.close()


async def swept(installation: Container, progress=silent) -> Reconciled:
    access = installation.access()
    assert access is not None
    try:
        now = installation.clock()
        return await sweep(installation.store, access, REPO, now=now, progress=progress)
    finally:
        await access.aclose()


def failed(delivery: Delivery, clock: Clock) -> Delivery:
    """GitHub got no answer."""
    delivery.status_code, delivery.delivered_at = 502, clock()
    return delivery


async def test_an_issue_that_no_webhook_told_of_is_tagged_once(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    bench.clock.advance(minutes=5)
    late = bench.github.open_issue(REPO, "more docs", by="ada")
    bench.clock.advance(minutes=30)
    assert (await swept(bench.installation)).made_up == 1
    assert (await swept(bench.installation)).made_up == 0
    await bench.work()
    assert bench.labels(2) == ["docs"]
    # GitHub delivers it after all
    assert (await bench.deliver(late)).state == "ignored"
    assert [one.number for one in bench.predictions()] == [2, 1]


async def test_an_issue_of_the_last_minutes_is_left_to_its_webhook(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    delivery = bench.github.open_issue(REPO, "more docs", by="ada")
    bench.clock.advance(minutes=2)
    assert (await swept(bench.installation)).made_up == 0
    assert (await bench.deliver(delivery)).state == "done"
    bench.clock.advance(minutes=30)
    assert (await swept(bench.installation)).made_up == 0


async def test_what_was_there_before_the_bot_is_not_made_up_for(bench: Bench) -> None:
    for number in range(30):
        bench.github.open_issue(REPO, f"an old bug {number}", by="ada")
        bench.clock.advance(minutes=7)
    assert (await swept(bench.installation)).made_up == 0
    bench.clock.advance(hours=1)
    assert (await swept(bench.installation)).made_up == 0
    bench.github.open_issue(REPO, "a new bug", by="ada")
    bench.clock.advance(hours=1)
    assert (await swept(bench.installation)).made_up == 1


async def test_a_sync_by_hand_in_between_hides_nothing(bench: Bench) -> None:
    from bot.repositories.syncing import sync

    await swept(bench.installation)
    bench.clock.advance(hours=1)
    bench.github.open_issue(REPO, "a bug", by="ada")
    bench.clock.advance(hours=1)
    assert bench.context.access is not None
    await sync(bench.installation.store, bench.context.access, REPO, now=bench.clock())
    assert (await swept(bench.installation)).made_up == 1


async def test_who_removed_a_label_unheard_is_followed_and_obeyed(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    bench.github.remove_label(REPO, 1, "bug", by="grace")
    bench.clock.advance(hours=1)
    await swept(bench.installation)
    with bench.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert work.labels.removed_by_people(repository.id, 1) == {"bug"}
        assert work.issues.get(repository.id, 1).labels == ()


async def test_a_fallback_label_that_outlived_its_purpose_goes(bench: Bench) -> None:
    bench.configure(APPLY + "fallback_label: question\n")
    await bench.deliver(bench.github.open_issue(REPO, "what is this", by="ada"))
    assert bench.labels(1) == ["question"]
    bench.github.add_labels(REPO, 1, ["feature"], by="grace")  # nobody hears of it
    bench.clock.advance(hours=1)
    assert (await swept(bench.installation)).made_up == 1
    await bench.work()
    assert bench.labels(1) == ["feature"]
    assert (await swept(bench.installation)).made_up == 0


async def test_failed_deliveries_are_fetched_once_and_oldest_first(
    as_app: Container, github: GitHubState, clock: Clock
) -> None:
    opened = failed(github.open_issue(REPO, "a bug", by="ada"), clock)
    edited = failed(github.edit_issue(REPO, 1, by="ada", title="a bug docs"), clock)
    github.add_repository("acme/other")
    elsewhere = failed(github.open_issue("acme/other", "not ours", by="ada"), clock)
    clock.advance(hours=1)
    done = await swept(as_app)
    assert (done.recovered.taken_in, done.made_up) == (2, 0)
    with as_app.store.read() as work:
        issue = work.issues.get(work.repositories.get(REPO).id, 1)
        states = [work.inbox.find(one.guid) for one in (opened, edited, elsewhere)]
    assert (issue.filed_title, issue.title) == ("a bug", "a bug docs")
    assert [one and one.state for one in states] == ["pending", "pending", None]
    assert states[0].id < states[1].id  # type: ignore[union-attr]
    github.requests.clear()
    again = await swept(as_app)
    assert (again.recovered.taken_in, again.made_up) == (0, 0)
    assert [one.status for one in github.requests if "deliveries" in one.path] == [304]


async def test_a_sweep_killed_at_any_step_is_finished_by_the_next(
    as_app: Container, github: GitHubState, clock: Clock
) -> None:
    await swept(as_app)
    everything = [
        failed(github.open_issue(REPO, f"a bug {number}", by="ada"), clock) for number in range(8)
    ]
    for _ in range(4):  # these GitHub never even tried to deliver
        github.open_issue(REPO, "docs", by="ada")
    clock.advance(hours=1)
    for steps in (1, 4, 4):  # the last after the issues came in, before any was made up for
        left = steps

        def kill(step: str, done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        with pytest.raises(Killed):
            await swept(as_app, kill)
    await swept(as_app)
    with as_app.store.read() as work:
        counts = work.inbox.counts()
        assert all(work.inbox.has(one.guid) for one in everything)
    assert sum(counts.values()) == 12
    asked = [one.path for one in github.requests if "/app/hook/deliveries/" in one.path]
    assert len(asked) == len(set(asked)) == 8


async def test_a_rate_limit_ends_a_sweep_and_the_next_goes_on(
    as_app: Container, github: GitHubState, clock: Clock
) -> None:
    from bot.github.errors import RateLimited

    for number in range(4):
        failed(github.open_issue(REPO, f"a bug {number}", by="ada"), clock)
    clock.advance(hours=1)

    def limit(step: str, done: int, total: int) -> None:
        if step == "failed deliveries" and done == 2:
            github.fail_next(secondary_limit(retry_after=3600))

    with pytest.raises(RateLimited):
        await swept(as_app, limit)
    clock.advance(hours=1)
    assert (await swept(as_app)).recovered.taken_in == 2


async def test_an_old_suspension_that_is_over_silences_nobody(
    as_app: Container, github: GitHubState, clock: Clock
) -> None:
    github.push_file(REPO, ".github/issue-tagger.yml", APPLY)
    await swept(as_app)
    (installed,) = github.installations.values()
    failed(github.suspend(installed), clock)
    clock.advance(minutes=5)
    failed(github.unsuspend(installed), clock).status_code = 200  # and it was worked off
    clock.advance(hours=8)
    assert (await swept(as_app)).recovered.taken_in == 1
    context = as_app.context()
    await DeliveryQueue(context).run_until_empty()
    opened = github.open_issue(REPO, "a bug", by="ada")
    with as_app.store.begin() as work:
        keep(work, understand(opened.guid, opened.event, opened.payload, clock()), None)
    await DeliveryQueue(context).run_until_empty()
    assert github.issue(REPO, 1).label_names == ["bug"]
    assert context.access is not None
    await context.access.aclose()


async def test_a_payload_that_github_dropped_is_asked_for_again(
    as_app: Container, github: GitHubState, clock: Clock
) -> None:
    lost = failed(github.open_issue(REPO, "a bug", by="ada"), clock)
    lost.dropped = True
    done = await swept(as_app)
    assert (done.recovered.taken_in, done.recovered.asked_again) == (0, 1)
    assert [one.redelivery for one in github.deliveries if one.guid == lost.guid] == [False, True]


async def test_issues_that_are_gone_are_forgotten_within_a_week(bench: Bench) -> None:
    bench.github.add_repository("acme/other")
    for number in range(6):
        bench.github.open_issue(REPO, f"bug {number}", by="ada")
    assert (await swept(bench.installation)).synced.forgotten == 0
    bench.github.delete_issue(REPO, 2, by="ada")
    bench.github.transfer_issue(REPO, 5, "acme/other", by="ada")
    bench.clock.advance(days=1)
    assert (await swept(bench.installation)).synced.forgotten == 0
    bench.clock.advance(days=7)
    assert (await swept(bench.installation)).synced.forgotten == 2
    with bench.installation.store.read() as work:
        assert work.issues.numbers(work.repositories.get(REPO).id) == (1, 3, 4, 6)


async def test_a_repository_that_was_renamed_unheard_is_followed(bench: Bench) -> None:
    bench.receive(bench.github.open_issue(REPO, "a bug", by="ada"))
    await swept(bench.installation)
    bench.github.rename_repository(REPO, "starship", by="ada")
    bench.clock.advance(hours=1)
    assert (await swept(bench.installation)).synced.repository == "acme/starship"
    with bench.installation.store.read() as work:
        assert work.repositories.find(REPO) is None
        assert work.issues.numbers(work.repositories.get("acme/starship").id) == (1,)


def test_it_is_a_plain_function_and_says_what_is_missing(
    installation: Container, github: GitHubState, settings: Settings, database_url: str
) -> None:
    github.open_issue(REPO, "a bug", by="ada")
    done = reconcile(installation, REPO)
    assert (done.synced.issues.new, done.made_up) == (1, 0)
    nobody = Container(settings.model_copy(update={"github_token": None}))
    with pytest.raises(CommandRefused, match="no credentials"):
        reconcile(nobody, REPO)
    nobody.close()


async def test_a_sweep_creates_no_label(bench: Bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug", by="ada"))
    bench.github.delete_label(REPO, "docs", by="ada")
    bench.github.open_issue(REPO, "docs", by="ada")
    bench.clock.now += timedelta(hours=1)
    await swept(bench.installation)
    await bench.work()
    assert "docs" not in bench.github.repository(REPO).labels
    assert bench.asked("POST") == [f"/repos/{REPO}/issues/1/labels"]
