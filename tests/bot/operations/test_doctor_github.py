"""Doctor on GitHub: what the bot may do there, what it hears of, and what time it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes_bot import BOT, REPO
from pydantic import SecretStr

from bot.container import Container
from bot.operations.doctor_github import examine_clock, examine_github
from bot.simulator.faults import Fault
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(github):
    return github.create_app("issue-tagger")


@pytest.fixture
def as_app(app, settings, github, clock):
    key = SecretStr(app.private_key)
    given = {"github_token": None, "github_app_id": app.id, "github_private_key": key}
    made = Container(
        settings.model_copy(update=given), clock=clock, transport=SimulatorTransport(github)
    )
    yield made
    made.close()


async def verdicts(installation, *repositories: str) -> dict[str, tuple[str, str]]:
    found = await examine_github(installation, repositories or (REPO,))
    return {one.part: (one.verdict, one.found + one.advice) for one in found}


async def test_a_token_that_may_set_labels_is_fine(installation) -> None:
    found = await verdicts(installation)
    assert found["GitHub"][0] == found["permissions"][0] == "ok"


async def test_a_token_that_may_only_read_is_told_which_role_it_needs(installation, github) -> None:
    github.set_role(REPO, BOT, "read")
    verdict, said = (await verdicts(installation))["permissions"]
    assert (verdict, "triage role" in said) == ("note", True)


async def test_a_token_that_github_does_not_know_is_wrong(installation, github) -> None:
    github.fail_next(Fault(401, {}, "Bad credentials"))
    verdict, said = (await verdicts(installation))["GitHub"]
    assert (verdict, "check GITHUB_TOKEN" in said) == ("wrong", True)


async def test_an_old_enterprise_server_needs_the_older_version(settings, github, clock) -> None:
    github.api_versions = frozenset({"2022-11-28"})
    transport = SimulatorTransport(github)
    newest = Container(settings, clock=clock, transport=transport)
    verdict, text = (await verdicts(newest))["GitHub"]
    assert (verdict, "set GITHUB_API_VERSION" in text) == ("wrong", True)
    older = settings.model_copy(update={"github_api_version": "2022-11-28"})
    found = await verdicts(Container(older, clock=clock, transport=transport))
    assert found["GitHub"][0] == "ok"


async def test_without_credentials_it_says_which_to_set(settings) -> None:
    without = Container(settings.model_copy(update={"github_token": None}))
    verdict, said = (await verdicts(without))["GitHub"]
    assert (verdict, "ISSUE_TAGGER_GITHUB_APP_ID" in said) == ("note", True)


async def test_an_app_with_all_it_needs_is_fine(as_app, app, github) -> None:
    github.install(app, REPO)
    found = await verdicts(as_app)
    assert {part: verdict for part, (verdict, _) in found.items()} == dict.fromkeys(
        ("GitHub", "events", "deliveries", "permissions"), "ok"
    )


async def test_an_app_that_is_not_installed_is_a_note(as_app) -> None:
    assert (await verdicts(as_app))["permissions"][0] == "note"


async def test_missing_permissions_and_events_are_named(as_app, app, github) -> None:
    app.permissions = {"metadata": "read", "issues": "read", "contents": "read"}
    app.events = ("issues", "push")
    github.install(app, REPO)
    found = await verdicts(as_app)
    assert found["permissions"][0] == found["events"][0] == "wrong"
    assert "lacks issues: write, checks: write" in found["permissions"][1]
    assert "not subscribed: issue_comment, label, repository" in found["events"][1]


async def test_deliveries_that_failed_are_counted(as_app, github) -> None:
    delivery = github.open_issue(REPO, "a bug")
    delivery.status_code = 503
    verdict, said = (await verdicts(as_app))["deliveries"]
    assert (verdict, "1 of the latest 1 failed" in said) == ("note", True)


@pytest.mark.parametrize(("minutes", "verdict"), [(0, "ok"), (5, "wrong"), (-5, "wrong")])
async def test_a_clock_that_differs_from_githubs_is_wrong(
    settings, github, clock, minutes, verdict
) -> None:
    def ours():
        return clock() + timedelta(minutes=minutes)

    made = Container(settings, clock=ours, transport=SimulatorTransport(github))
    await examine_github(made, ())
    found = examine_clock(made, None)
    assert found.verdict == verdict
    assert ("NTP" in found.advice) == (verdict == "wrong")
    assert f"{minutes * 60:+} s against GitHub's" in found.found


def test_a_database_servers_clock_is_compared_too(installation) -> None:
    assert examine_clock(installation, timedelta(seconds=-90)).verdict == "wrong"
    assert (
        "+90 s against the database's" in examine_clock(installation, timedelta(seconds=-90)).found
    )
    assert examine_clock(installation, None).verdict == "ok"
