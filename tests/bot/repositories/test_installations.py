"""Installed, suspended, renamed, archived: where the bot acts follows what GitHub tells."""

from __future__ import annotations

import pytest
from fakes_bot import REPO, SECRET

from bot.process.settings import Settings
from bot.repositories import presence
from bot.repositories.reconciling import sweep
from bot.repositories.syncing import sync
from bot.simulator.faults import secondary_limit

pytestmark = pytest.mark.anyio
APPLY = "mode: apply\ndelay_seconds: 0\n"
OTHER = "acme/probe"


@pytest.fixture
def settings(database_url, tmp_path, github) -> Settings:
    """The settings of an App that is installed in one of its account's two repositories."""
    github.add_repository(OTHER)
    app = github.create_app("issue-tagger")
    github.install(app, REPO)
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        github_api_url=github.url,
        github_app_id=app.id,
        github_private_key=app.private_key,
        webhook_secret=SECRET,
    )


def installed(bench):
    (only,) = bench.github.installations.values()
    return only


def stored(bench, name: str = REPO):
    with bench.installation.store.read() as work:
        return work.repositories.get(name)


def asked_for(bench, name: str) -> list[str]:
    with bench.installation.store.read() as work:
        tasks = work.tasks.all()
    return [task.kind for task in tasks if task.repository_id == stored(bench, name).id]


async def test_an_installation_brings_its_repositories_and_asks_for_a_sync(bench) -> None:
    created = bench.github.deliveries[0]
    assert (await bench.deliver(created)).state == "done"
    assert stored(bench).github_id == bench.github.repository(REPO).id
    assert asked_for(bench, REPO) == ["sync"]


async def test_repositories_come_to_and_go_from_an_installation(bench) -> None:
    bench.configure(APPLY)
    bench.github.repository(OTHER).files[".github/issue-tagger.yml"] = APPLY
    bench.releases.promote(bench.installation.store, "r2", ["bug"], bench.clock(), OTHER)
    bench.github.add_label(OTHER, "bug")
    await bench.deliver(bench.github.add_to_installation(installed(bench), OTHER))
    assert asked_for(bench, OTHER) == ["sync"]
    await bench.deliver(bench.github.open_issue(OTHER, "a bug"))
    assert bench.github.issue(OTHER, 1).label_names == ["bug"]
    opened = bench.github.open_issue(OTHER, "a bug again")  # still waits when the App must go
    await bench.deliver(bench.github.take_from_installation(installed(bench), OTHER))
    delivery = await bench.deliver(opened)
    assert (delivery.state, delivery.error) == ("ignored", "it was taken from the App")
    assert bench.github.issue(OTHER, 2).label_names == []


async def test_a_suspended_app_does_nothing_until_it_is_let_in_again(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]
    waiting = bench.github.open_issue(REPO, "a bug")
    await bench.deliver(bench.github.suspend(installed(bench)))
    asked = len(bench.github.requests)
    assert (await bench.deliver(waiting)).error == "the App was suspended"
    assert len(bench.github.requests) == asked
    await bench.deliver(bench.github.unsuspend(installed(bench)))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(3) == ["bug"]


async def test_after_an_uninstallation_the_app_acts_through_its_new_installation(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.uninstall(installed(bench)))
    assert presence.left_because(stored(bench)) == "the App was uninstalled"
    bench.github.install(next(iter(bench.github.apps.values())), REPO)
    await bench.deliver(bench.github.deliveries[-1])
    assert presence.left_because(stored(bench)) is None
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == ["bug"]


async def test_a_webhook_long_after_the_goodbye_is_a_return(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.deliver(bench.github.take_from_installation(installed(bench), REPO))
    bench.github.add_to_installation(installed(bench), REPO)  # nobody hears of it
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == []
    bench.clock.advance(hours=2)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(3) == ["bug"]


def goodbye(bench, how: str):
    if how == "suspended":
        return bench.github.suspend(installed(bench))
    if how == "taken":
        return bench.github.take_from_installation(installed(bench), REPO)
    if how == "archived":
        return bench.github.set_archived(REPO, True, by="acme")
    return bench.github.uninstall(installed(bench))


def comeback(bench, how: str):
    if how == "suspended":
        return bench.github.unsuspend(installed(bench))
    if how == "taken":
        return bench.github.add_to_installation(installed(bench), REPO)
    if how == "archived":
        return bench.github.set_archived(REPO, False, by="acme")
    bench.github.install(next(iter(bench.github.apps.values())), REPO)
    return bench.github.deliveries[-1]


ABSENCES = ("suspended", "taken", "archived", "uninstalled")


@pytest.mark.parametrize("how", ABSENCES)
async def test_a_goodbye_that_is_told_after_the_return_is_none(bench, how) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    late = goodbye(bench, how)
    await bench.deliver(comeback(bench, how))
    assert (await bench.deliver(late)).state == "done"
    assert presence.left_because(stored(bench)) is None
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == ["bug"]


@pytest.mark.parametrize("how", ABSENCES)
async def test_a_return_that_is_told_after_the_next_goodbye_is_none(bench, how) -> None:
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    goodbye(bench, how)
    late = comeback(bench, how)
    await bench.deliver(goodbye(bench, how))
    why = presence.left_because(stored(bench))
    assert why in presence.REASONS
    assert (await bench.deliver(late)).state == "done"
    assert presence.left_because(stored(bench)) == why


async def test_a_goodbye_waits_until_github_can_be_asked(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    gone = bench.github.suspend(installed(bench))
    bench.github.fail_next(secondary_limit(retry_after=3600))
    assert (await bench.deliver(gone)).state == "pending"
    assert presence.left_because(stored(bench)) is None
    bench.clock.advance(hours=1)
    await bench.work()
    assert presence.left_because(stored(bench)) == presence.SUSPENDED


async def test_an_issue_left_alone_while_the_app_was_suspended_is_made_up_for(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    waiting = bench.github.open_issue(REPO, "a bug")
    await bench.deliver(bench.github.suspend(installed(bench)))
    assert (await bench.deliver(waiting)).error == presence.SUSPENDED
    await bench.deliver(bench.github.unsuspend(installed(bench)))
    bench.clock.advance(hours=1)
    store, access = bench.installation.store, bench.context.access
    assert (await sweep(store, access, REPO, now=bench.clock())).made_up == 1
    await bench.work()
    assert bench.labels(2) == ["bug"]
    assert (await sweep(store, access, REPO, now=bench.clock())).made_up == 0


async def test_new_permissions_let_the_configuration_be_read_again(bench) -> None:
    installed(bench).permissions["contents"] = "none"
    bench.configure(APPLY)
    delivery = bench.github.open_issue(REPO, "a bug")
    bench.receive(delivery)
    bench.clock.advance(seconds=121)
    await bench.work()
    assert bench.labels(1) == []
    installed(bench).permissions["contents"] = "read"
    accepted = bench.github.emit(
        "installation", "acme", None,
        {"action": "new_permissions_accepted",
         **bench.github.whole_installation(installed(bench))},
    )  # fmt: skip
    await bench.deliver(accepted)
    bench.receive(bench.github.open_issue(REPO, "a bug"))
    bench.clock.advance(seconds=121)  # the delay of a repository without a file
    await bench.work()
    assert bench.labels(2) == ["bug"]


@pytest.mark.parametrize("move", ["rename", "transfer"])
async def test_a_moved_repository_is_asked_for_under_its_new_name(bench, move) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await sync(bench.installation.store, bench.context.access, REPO, now=bench.clock())
    if move == "rename":
        moved, name = bench.github.rename_repository(REPO, "starship", by="acme"), "acme/starship"
    else:
        moved, name = bench.github.transfer_repository(REPO, "nasa", by="acme"), "nasa/rocket"
        bench.github.install(next(iter(bench.github.apps.values())), name)
        await bench.deliver(bench.github.deliveries[-1])
    await bench.deliver(moved)
    bench.github.add_repository(REPO)  # the old name is somebody else's now
    bench.github.open_issue(REPO, "not ours")
    before = len(bench.github.requests)
    await sync(bench.installation.store, bench.context.access, name, now=bench.clock())
    asked = [one for one in list(bench.github.requests)[before:] if "/repos/" in one.path]
    assert {one.path.split("/")[2] for one in asked} == {name.split("/")[0]}
    assert any(one.status == 304 for one in asked)
    with bench.installation.store.read() as work:
        assert work.issues.numbers(work.repositories.get(name).id) == (1,)


async def test_an_issue_stays_its_repositorys_when_another_takes_the_name(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 120\n")
    await bench.deliver(bench.github.open_issue(REPO, "docs"))
    waiting = bench.github.open_issue(REPO, "a bug")
    bench.receive(waiting)
    await bench.deliver(bench.github.rename_repository(REPO, "legacy", by="acme"))
    bench.github.add_repository(REPO)
    bench.github.add_label(REPO, "bug")
    await bench.deliver(bench.github.add_to_installation(installed(bench), REPO))
    for _ in range(2):
        await bench.deliver(bench.github.open_issue(REPO, "words"))
    bench.clock.advance(minutes=5)
    await bench.work()
    assert bench.github.issue("acme/legacy", 2).label_names == ["bug"]
    assert bench.labels(2) == []
    with bench.installation.store.read() as work:
        assert work.issues.get(stored(bench, "acme/legacy").id, 2).title == "a bug"
        assert work.issues.get(stored(bench).id, 2).title == "words"


@pytest.mark.parametrize("end", ["archive", "delete"])
async def test_an_archived_or_deleted_repository_is_left_alone(bench, end) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    if end == "archive":
        await bench.deliver(bench.github.set_archived(REPO, True, by="acme"))
    else:
        await bench.deliver(bench.github.delete_repository(REPO, by="acme"))
    asked = len(bench.github.requests)
    assert (await bench.deliver(opened)).state == "ignored"
    assert len(bench.github.requests) == asked
    if end == "archive":
        await bench.deliver(bench.github.set_archived(REPO, False, by="acme"))
        await bench.deliver(bench.github.open_issue(REPO, "a bug"))
        assert bench.labels(2) == ["bug"]


async def renamed_and_name_taken(bench):
    """Our repository is the legacy one by now, and another has its name."""
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    late = bench.github.open_issue(REPO, "a bug")
    await bench.deliver(bench.github.rename_repository(REPO, "legacy", by="acme"))
    bench.github.add_repository(REPO)
    bench.github.add_label(REPO, "bug")
    for _ in range(2):
        bench.github.open_issue(REPO, "words")
    await bench.deliver(bench.github.add_to_installation(installed(bench), REPO))
    return late


async def test_a_late_payload_takes_no_name_back(bench) -> None:
    late = await renamed_and_name_taken(bench)
    ours, theirs = stored(bench, "acme/legacy"), stored(bench)
    await bench.deliver(late)
    assert (stored(bench, "acme/legacy").id, stored(bench).id) == (ours.id, theirs.id)
    assert bench.github.issue("acme/legacy", 2).label_names == ["bug"]
    assert bench.labels(2) == []


async def test_a_rename_of_which_no_webhook_told_is_followed(bench) -> None:
    bench.configure(APPLY)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    ours = stored(bench)
    bench.github.rename_repository(REPO, "legacy", by="acme")
    await bench.deliver(bench.github.open_issue("acme/legacy", "a bug"))
    assert stored(bench, "acme/legacy").id == ours.id
    assert bench.github.issue("acme/legacy", 2).label_names == ["bug"]


async def test_an_issue_of_another_repository_under_our_name_is_left_alone(bench) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    bench.github.rename_repository(REPO, "legacy", by="acme")  # no webhook tells
    bench.github.add_repository(REPO)
    bench.github.add_label(REPO, "bug")
    bench.github.open_issue(REPO, "words")
    bench.github.add_to_installation(installed(bench), REPO)
    await bench.work()
    assert bench.labels(1) == []
    assert bench.github.issue("acme/legacy", 1).label_names == []
    await bench.deliver(bench.github.open_issue("acme/legacy", "words"))  # tells the name
    bench.clock.advance(minutes=5)
    await bench.work()
    assert bench.github.issue("acme/legacy", 1).label_names == ["bug"]
    assert bench.labels(1) == []
