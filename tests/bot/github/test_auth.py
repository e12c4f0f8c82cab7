"""Tokens are fetched when needed, kept while they last, and fetched once for many."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import jwt
import pytest
from fakes_github import FakeTime, Script, client_of

from bot.github.access import AppAccess, TokenAccess
from bot.github.auth import RENEW_BEFORE, AppAuth, InstallationAuth, TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import GitHubError, NotFound, RateLimited, Unauthorized, Unreachable
from bot.simulator.apps import key_pair
from bot.simulator.faults import server_error
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio
URL = "http://github.test"


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


class Lab:
    """A simulator with an App in two repositories of two owners, and a client for it."""

    def __init__(self, time: FakeTime) -> None:
        self.state = GitHubState(time, url=URL)
        self.app = self.state.create_app("issue-tagger")
        for name in ("octo/lab", "acme/shop"):
            self.state.add_repository(name)
            self.state.install(self.app, name)
            self.state.open_issue(name, "t")
        self.client = GitHubClient.open(
            URL, transport=SimulatorTransport(self.state), patience=time.patience()
        )
        auth = AppAuth(self.app.id, self.app.private_key, time)
        self.access = AppAccess(self.client, auth, URL)

    @property
    def token_requests(self) -> int:
        return sum(seen.path.endswith("/access_tokens") for seen in self.state.requests)


@pytest.fixture
async def student_training(time):
    student_training = Lab(time)
    yield student_training
    await student_training.access.aclose()


async def test_a_jwt_says_who_and_for_how_long(keys, time) -> None:
    private, public = keys
    token = AppAuth(42, private, time).token()
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, public, algorithms=["RS256"], options=options)
    now = time.now.timestamp()
    assert claims["iss"] == "42"
    assert now - 61 < claims["iat"] < now
    assert claims["exp"] - claims["iat"] <= 600


@pytest.mark.parametrize("key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
async def test_a_damaged_key_is_named_at_the_start(key) -> None:
    with pytest.raises(GitHubError, match="GITHUB_PRIVATE_KEY"):
        AppAuth(42, key)


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "ä"])
async def test_a_damaged_token_is_named_at_the_start(token) -> None:
    with pytest.raises(GitHubError, match="GITHUB_TOKEN"):
        TokenAuth(token)


async def test_fifty_requests_at_once_fetch_one_token(student_training) -> None:
    github = await student_training.access.client("octo/lab")
    found = await asyncio.gather(*[github.issue("octo/lab", 1) for _ in range(50)])
    assert len(found) == 50
    assert student_training.token_requests == 1


async def test_a_token_is_kept_until_shortly_before_its_end(student_training, time) -> None:
    github = await student_training.access.client("octo/lab")
    await github.issue("octo/lab", 1)
    time.now += timedelta(hours=1) - RENEW_BEFORE - timedelta(seconds=1)
    await github.issue("octo/lab", 1)
    assert student_training.token_requests == 1
    time.now += timedelta(seconds=2)
    await asyncio.gather(*[github.issue("octo/lab", 1) for _ in range(10)])
    assert student_training.token_requests == 2


async def test_each_installation_has_a_token_of_its_own(student_training) -> None:
    for name in ("octo/lab", "acme/shop", "octo/lab"):
        github = await student_training.access.client(name)
        assert (await github.issue(name, 1)).number == 1
    assert student_training.token_requests == 2


async def test_a_webhook_that_names_its_installation_saves_the_lookup(student_training) -> None:
    installation = next(iter(student_training.state.installations))
    github = await student_training.access.client("octo/lab", installation)
    await github.issue("octo/lab", 1)
    assert not [
        seen for seen in student_training.state.requests if seen.path.endswith("/installation")
    ]


async def test_a_revoked_token_is_replaced_once(student_training) -> None:
    github = await student_training.access.client("octo/lab")
    await github.issue("octo/lab", 1)
    for installation in student_training.state.installations.values():
        installation.tokens.clear()
    found = await asyncio.gather(*[github.issue("octo/lab", 1) for _ in range(10)])
    assert len(found) == 10
    assert student_training.token_requests == 2


async def test_an_app_that_is_not_installed_there_is_told(student_training) -> None:
    student_training.state.add_repository("other/place")
    with pytest.raises(NotFound):
        await student_training.access.client("other/place")


async def test_an_uninstalled_app_is_told_and_found_again(student_training) -> None:
    (first, *_) = student_training.state.installations.values()
    github = await student_training.access.client("octo/lab")
    student_training.state.uninstall(first)
    with pytest.raises(NotFound):
        await github.issue("octo/lab", 1)
    student_training.access.forget(first.id)
    student_training.state.install(student_training.app, "octo/lab")
    github = await student_training.access.client("octo/lab")
    assert (await github.issue("octo/lab", 1)).number == 1


async def test_trouble_while_fetching_a_token_is_waited_out(student_training, time) -> None:
    github = await student_training.access.client("octo/lab")
    student_training.state.fail_next(server_error(502), server_error(500))
    assert (await github.issue("octo/lab", 1)).number == 1
    assert time.slept == [1, 2]


async def test_a_write_does_not_wait_for_a_token_and_is_known_not_to_have_happened(
    student_training,
) -> None:
    github = await student_training.access.client("octo/lab")
    student_training.state.fail_next(server_error(502))
    with pytest.raises(Unreachable) as raised:
        await github.comment("octo/lab", 1, "hello")
    assert not raised.value.may_have_happened
    await github.comment("octo/lab", 1, "hello")
    assert [one.body for one in student_training.state.issue("octo/lab", 1).comments] == ["hello"]


async def test_one_failed_fetch_does_not_block_the_others(student_training) -> None:
    github = await student_training.access.client("octo/lab")
    student_training.state.fail_next(*[server_error(502)] * 4)
    requests = [github.issue("octo/lab", 1) for _ in range(5)]
    found = await asyncio.gather(*requests, return_exceptions=True)
    assert all(getattr(one, "number", None) == 1 or isinstance(one, Unreachable) for one in found)
    assert (await github.issue("octo/lab", 1)).number == 1


async def test_a_wrong_key_is_told_as_such(student_training, keys, time) -> None:
    stranger = AppAuth(student_training.app.id, keys[0], time)
    github = student_training.client.speaking_as(InstallationAuth(stranger, 1, URL))
    with pytest.raises(Unauthorized, match="private key"):
        await github.issue("octo/lab", 1)


async def test_a_limit_on_tokens_is_told_with_its_end(time, keys) -> None:
    limited = httpx.Response(403, headers={"retry-after": "3600"}, json={})
    script = Script(limited)
    auth = InstallationAuth(AppAuth(1, keys[0], time), 5)
    async with client_of(script, time, auth=auth) as github:
        with pytest.raises(RateLimited) as raised:
            await github.issue("octo/lab", 1)
    assert raised.value.retry_at == time.now + timedelta(hours=1)


async def test_an_app_and_a_token_know_the_login_they_act_under(student_training) -> None:
    assert await student_training.access.login() == "issue-tagger[bot]"
    student_training.state.add_token("secret", "machine")
    by_token = TokenAccess(student_training.client.speaking_as(TokenAuth("secret")))
    assert await by_token.login() == "machine"
    github = await by_token.client("octo/lab")
    assert (await github.issue("octo/lab", 1)).number == 1
