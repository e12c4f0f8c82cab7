"""An invalid configuration file: nothing changes, and its author sees why, where they look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes_bot import REPO, SECRET

from bot.configuration.effective import CONFIGURATION_PATH, known_configuration
from bot.configuration.last_reading import Reading
from bot.conversations.configuration_notice import MARK
from bot.process.settings import Settings
from bot.simulator.faults import NetworkFault, network_fault

pytestmark = pytest.mark.anyio
GOOD = "mode: apply\ndelay_seconds: 0\n"
BAD = "mode: apply\nprecison: 0.9\nlabels:\n  bug: {mode: aply}\n"


@pytest.fixture
def app(github):
    made = github.create_app("issue-tagger")
    github.install(made, REPO)
    return made


@pytest.fixture
def settings(app, database_url, tmp_path, github) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        github_api_url=github.url,
        github_app_id=app.id,
        github_private_key=app.private_key,
        webhook_secret=SECRET,
    )


def push(bench, text: str | None, name: str = REPO):
    return bench.github.push_file(name, CONFIGURATION_PATH, text)


def checks(bench, name: str = REPO):
    return list(bench.github.repository(name).check_runs.values())


async def test_a_bad_file_fails_a_check_on_its_commit_and_changes_nothing(bench) -> None:
    await bench.deliver(push(bench, GOOD))
    assert checks(bench) == []
    bad = push(bench, BAD)
    assert (await bench.deliver(bad)).state == "done"
    (run,) = checks(bench)
    assert (run.head_sha, run.conclusion) == (bad.payload["after"], "failure")
    first, second = run.output["annotations"]
    assert (first["path"], first["start_line"], first["title"]) == (
        CONFIGURATION_PATH,
        2,
        "precison",
    )
    assert "did you mean 'precision'" in first["message"]
    assert (second["start_line"], second["title"]) == (4, "labels.bug.mode")
    assert "did you mean 'apply'" in second["message"]
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]  # by the last good file


async def test_the_check_passes_once_the_file_is_right(bench) -> None:
    await bench.deliver(push(bench, BAD))
    good = push(bench, GOOD)
    await bench.deliver(good)
    failed, passed = checks(bench)
    assert (passed.conclusion, passed.head_sha) == ("success", good.payload["after"])
    await bench.deliver(push(bench, GOOD + "# a remark\n"))
    assert checks(bench) == [failed, passed]


async def test_a_file_that_was_taken_away_is_no_longer_wrong(bench) -> None:
    await bench.deliver(push(bench, BAD))
    await bench.deliver(push(bench, None))
    assert [run.conclusion for run in checks(bench)] == ["failure", "success"]
    with bench.installation.store.read() as work:
        assert known_configuration(work.repositories.get(REPO)).mode == "shadow"


async def test_a_file_that_was_bad_before_the_app_came_is_shown_at_installation(bench, app) -> None:
    pushed = push(bench, BAD)  # nobody hears of it
    created = bench.github.deliveries[0]
    assert created.event == "installation"
    await bench.deliver(created)
    (run,) = checks(bench)
    assert (run.head_sha, run.conclusion) == (pushed.payload["after"], "failure")
    assert len(run.output["annotations"]) == 2
    await bench.deliver(push(bench, GOOD))
    assert [one.conclusion for one in checks(bench)] == ["failure", "success"]


async def test_at_an_installation_every_repository_is_looked_at_by_itself(bench, app) -> None:
    names = ["acme/one", "acme/two", "acme/three"]
    (installation,) = bench.github.installations.values()
    for name in names:
        bench.github.add_repository(name)
    push(bench, BAD, names[0])
    push(bench, BAD, names[2])
    added = [bench.github.add_to_installation(installation, name) for name in names]
    for delivery in added:
        bench.receive(delivery)
    bench.github.fail_next(
        *[network_fault(NetworkFault.CLOSED)] * 4
    )  # whatever comes first is repeated
    await bench.work()
    bench.clock.advance(hours=1)
    await bench.work()
    assert [len(checks(bench, name)) for name in names] == [1, 0, 1]
    assert checks(bench) == []


async def test_a_good_file_or_none_is_asked_for_and_no_more(bench, app) -> None:
    push(bench, GOOD)
    await bench.deliver(bench.github.deliveries[0])
    asked = [one.path for one in bench.github.requests if one.path.startswith("/repos/")]
    assert asked == [f"/repos/{REPO}/contents/{CONFIGURATION_PATH}"]
    with bench.installation.store.read() as work:
        assert known_configuration(work.repositories.get(REPO)).mode == "apply"


async def test_permission_to_read_a_bad_file_lets_it_be_shown(bench, app) -> None:
    (installation,) = bench.github.installations.values()
    installation.permissions["contents"] = "none"
    push(bench, BAD)
    await bench.deliver(bench.github.deliveries[0])
    assert checks(bench) == []
    installation.permissions["contents"] = "read"
    accepted = bench.github.emit(
        "installation", "acme", None,
        {"action": "new_permissions_accepted", **bench.github.whole_installation(installation)},
    )  # fmt: skip
    await bench.deliver(accepted)
    assert [one.conclusion for one in checks(bench)] == ["failure"]


async def test_a_repeated_attempt_updates_its_own_check(bench) -> None:
    bad = push(bench, BAD)
    await bench.deliver(bad)
    again = bench.github.emit("push", "ada", bench.github.repository(REPO), dict(bad.payload))
    await bench.deliver(again)
    (run,) = checks(bench)
    assert run.conclusion == "failure"


async def test_without_the_permission_it_is_one_issue_edited_in_place(bench) -> None:
    (installation,) = bench.github.installations.values()
    installation.permissions.pop("checks")
    await bench.deliver(push(bench, BAD))
    issue = bench.github.issue(REPO, 1)
    assert issue.author.login == "issue-tagger[bot]"
    assert issue.body.startswith(MARK)
    assert "`2: precison: unknown key; did you mean 'precision'?`" in issue.body
    await bench.deliver(push(bench, "modus: apply\n"))
    assert list(bench.github.repository(REPO).issues) == [1]
    assert "modus" in issue.body
    assert "precison" not in issue.body
    await bench.deliver(push(bench, GOOD))
    assert issue.state == "closed"
    assert "can be used again" in issue.body
    await bench.deliver(push(bench, BAD))
    assert (issue.state, list(bench.github.repository(REPO).issues)) == ("open", [1])


async def test_an_issue_whose_making_was_not_answered_is_found_again(bench) -> None:
    (installation,) = bench.github.installations.values()
    installation.permissions.pop("checks")
    bad = push(bench, BAD)
    lost = network_fault(NetworkFault.CLOSED, after_acting=True)
    object.__setattr__(lost, "method", "POST")
    object.__setattr__(lost, "path", "/issues")
    bench.github.fail_next(lost)
    assert (await bench.deliver(bad)).state == "pending"
    bench.clock.advance(minutes=1)
    await bench.work()
    assert bench.delivery(bad).state == "done"
    assert list(bench.github.repository(REPO).issues) == [1]


async def test_what_people_wrote_into_the_file_is_no_markup_in_the_issue(bench) -> None:
    (installation,) = bench.github.installations.values()
    installation.permissions.pop("checks")
    await bench.deliver(push(bench, '"@ada `x` <b>": 1\n'))
    body = bench.github.issue(REPO, 1).body
    assert "line ``1: " in body
    assert body.count("@ada") == 1


async def test_the_organisations_file_is_read_anew_and_its_faults_shown_there(bench, app) -> None:
    home = "acme/.github"
    bench.github.add_repository(home)
    (installation,) = bench.github.installations.values()
    installation.repositories.add(home)
    await bench.deliver(push(bench, GOOD, home))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]
    await bench.deliver(push(bench, BAD, home))
    assert [run.conclusion for run in checks(bench, home)] == ["failure"]
    assert checks(bench) == []
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(2) == ["bug"]  # by the last good file
    await bench.deliver(push(bench, "mode: off\n", home))
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(3) == []


async def test_an_unchanged_file_is_asked_for_by_its_etag(bench) -> None:
    await bench.deliver(push(bench, GOOD))
    bench.clock.advance(minutes=11)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    asked = [one.status for one in bench.github.requests if one.path.endswith(".yml")]
    assert asked == [200, 304]


async def test_a_stored_file_that_is_no_longer_read_is_shown_and_its_other_rules_go_on(
    bench, app
) -> None:
    """As after an upgrade: what held before had a pattern that is no longer read."""
    text = GOOD + "ignore: {titles: ['^(?!a bug)']}\n"
    await bench.deliver(push(bench, GOOD))
    head = push(bench, text)  # nobody hears of it
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        rules = '{"mode": "apply", "delay_seconds": 0, "ignore": {"titles": ["^(?!a bug)"]}}'
        replace(Reading.of(repository), rules=rules).keep(work, repository.id)
    bench.clock.advance(hours=1)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.work()
    (run,) = checks(bench)
    assert (run.head_sha, run.conclusion) == (head.payload["after"], "failure")
    assert "looking ahead or behind" in run.output["annotations"][0]["message"]
    assert bench.labels(1) == []  # it may be one to leave alone
    with bench.installation.store.read() as work:
        assert known_configuration(work.repositories.get(REPO)).mode == "apply"
    bench.clock.advance(hours=1)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    await bench.work()
    assert len(checks(bench)) == 1  # told once


async def test_a_file_that_takes_too_long_to_read_is_told_so(bench, app, monkeypatch) -> None:
    await bench.deliver(push(bench, GOOD))
    monkeypatch.setattr("bot.configuration.effective.READ_WITHIN", 0.0)
    await bench.deliver(push(bench, "mode: off\n"))
    (run,) = checks(bench)
    assert "takes longer than" in run.output["annotations"][0]["message"]
    with bench.installation.store.read() as work:
        assert known_configuration(work.repositories.get(REPO)).mode == "apply"


async def test_a_file_of_which_intake_knows_no_rules_is_looked_at_anew(bench, app) -> None:
    await bench.deliver(push(bench, GOOD))
    with bench.installation.store.begin() as work:
        repository = work.repositories.get(REPO)
        before = {**repository.configuration, "valid": "mode: off\n"}
        work.repositories.set_configuration(repository.id, before, None)
    await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert bench.labels(1) == ["bug"]
