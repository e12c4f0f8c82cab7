"""What the client does when GitHub asks to wait, fails, or answers nonsense."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from fakes_github import FakeTime, Script, client_of

from bot.github.api_version import API_VERSION
from bot.github.auth import TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import BadPayload, Forbidden, Moved, RateLimited, Unauthorized, Unreachable

if TYPE_CHECKING:
    from bot.github.exchange import ResponseSeen

pytestmark = pytest.mark.anyio
REPO = "octo/lab"
ISSUE = {"number": 1, "title": "t"}


def ok(data: object = ISSUE, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=data, headers=headers)


def failing(status: int, message: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"message": message}, headers=named)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.mark.parametrize(
    ("network_fault", "pause"),
    [
        (failing(500), 1),
        (failing(502), 1),
        (failing(503, retry_after="7"), 7),
        (failing(403, retry_after="30"), 30),
        (failing(403, "You have exceeded a secondary rate limit"), 60),
        (failing(429), 60),
        (httpx.ReadTimeout("late"), 1),
        (httpx.ConnectError("refused"), 1),
        (httpx.RemoteProtocolError("closed"), 1),
        (httpx.Response(200, content=b'{"number": 1, "tit'), 1),
    ],
    ids=["500", "502", "503", "403", "secondary", "429", "timeout", "refused", "closed", "half"],
)
async def test_trouble_that_passes_is_waited_out(time, network_fault, pause) -> None:
    script = Script(network_fault, ok())
    async with client_of(script, time) as github:
        assert (await github.issue(REPO, 1)).number == 1
    assert time.slept == [pause]


async def test_after_four_attempts_the_client_gives_up_and_says_when_to_return(time) -> None:
    script = Script(*[failing(502)] * 4)
    async with client_of(script, time) as github:
        with pytest.raises(Unreachable, match="4 attempt") as raised:
            await github.issue(REPO, 1)
    assert time.slept == [1, 2, 4]
    assert raised.value.retry_at == time.now + timedelta(seconds=8)
    assert not raised.value.may_have_happened


async def test_a_wait_beyond_the_bound_raises_with_the_time_to_come_back(time) -> None:
    reset = int(time.now.timestamp()) + 1800
    limited = failing(403, x_ratelimit_remaining="0", x_ratelimit_reset=str(reset))
    async with client_of(Script(limited), time) as github:
        with pytest.raises(RateLimited) as raised:
            await github.issue(REPO, 1)
        assert raised.value.retry_at.timestamp() == reset
        with pytest.raises(RateLimited):  # without asking GitHub again
            await github.labels(REPO)
    assert time.slept == []


async def test_the_last_request_of_an_hour_makes_the_next_one_wait(time) -> None:
    reset = str(int(time.now.timestamp()) + 40)
    last = ok(**{"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
    async with client_of(Script(last, ok()), time) as github:
        await github.issue(REPO, 1)
        await github.issue(REPO, 1)
    assert time.slept == [40]


async def test_a_clock_set_back_does_not_prolong_a_pause(time) -> None:
    script = Script(failing(429, retry_after="3600"), ok())
    async with client_of(script, time) as github:
        with pytest.raises(RateLimited):
            await github.issue(REPO, 1)
        time.now -= timedelta(days=365)
        assert (await github.issue(REPO, 1)).number == 1


async def test_a_clock_set_forward_ends_a_pause(time) -> None:
    script = Script(failing(429, retry_after="3600"), ok())
    async with client_of(script, time) as github:
        with pytest.raises(RateLimited):
            await github.issue(REPO, 1)
        time.now += timedelta(days=365)
        assert (await github.issue(REPO, 1)).number == 1


async def test_another_identity_is_not_held_up_by_a_pause(time) -> None:
    script = Script(failing(429, retry_after="3600"), ok())
    async with client_of(script, time) as github:
        with pytest.raises(RateLimited):
            await github.issue(REPO, 1)
        assert (await github.speaking_as(None).issue(REPO, 1)).number == 1


@pytest.mark.parametrize("network_fault", [failing(500), httpx.ReadTimeout("late")])
async def test_a_comment_is_never_sent_twice(time, network_fault) -> None:
    script = Script(network_fault)
    async with client_of(script, time) as github:
        with pytest.raises(Unreachable, match="1 attempt") as raised:
            await github.comment(REPO, 1, "hello")
    assert raised.value.may_have_happened
    assert len(script.seen) == 1


@pytest.mark.parametrize("refusal", [failing(429), httpx.ConnectError("refused")])
async def test_a_write_waits_for_nothing_what_was_seen_may_be_over_by_then(time, refusal) -> None:
    script = Script(refusal)
    async with client_of(script, time) as github:
        with pytest.raises((RateLimited, Unreachable)) as raised:
            await github.comment(REPO, 1, "hello")
    assert not getattr(raised.value, "may_have_happened", False)
    assert time.slept == []


async def test_a_write_is_not_sent_while_a_limit_is_known_to_hold(time) -> None:
    script = Script(failing(429, retry_after="3"))
    async with client_of(script, time) as github:
        for _ in range(2):
            with pytest.raises(RateLimited):
                await github.add_labels(REPO, 1, ["bug"])
    assert (len(script.seen), time.slept) == (1, [])


async def test_a_missing_permission_is_no_rate_limit(time) -> None:
    async with client_of(Script(failing(403, "Resource not accessible")), time) as github:
        with pytest.raises(Forbidden, match="Resource not accessible"):
            await github.issue(REPO, 1)
    assert time.slept == []


async def test_an_answer_of_another_shape_names_the_field_and_not_its_content(time) -> None:
    async with client_of(Script(ok({"number": "secret text"})), time) as github:
        with pytest.raises(BadPayload, match="number") as raised:
            await github.issue(REPO, 1)
    assert "secret text" not in str(raised.value)


async def test_half_a_page_every_time_is_a_bad_payload(time) -> None:
    script = Script(*[httpx.Response(200, content=b'[{"number": 1')] * 4)
    async with client_of(script, time) as github:
        with pytest.raises(BadPayload, match="cut short"):
            await github.labels(REPO)


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/page2", "http://api.github.com/x", "https://api.github.com:99/"],
)
async def test_a_link_to_another_host_is_not_followed(time, elsewhere) -> None:
    page = ok([{"name": "bug"}], link=f'<{elsewhere}>; rel="next"')
    script = Script(page)
    async with client_of(script, time) as github:
        with pytest.raises(BadPayload, match="leads to"):
            await github.labels(REPO)
    assert len(script.seen) == 1


async def test_a_list_that_links_to_itself_ends(time) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        return ok([{"name": "bug"}], link=f'<{request.url}>; rel="next"')

    async with client_of(Script(page), time) as github:
        assert [label.name for label in await github.labels(REPO)] == ["bug"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirected_read_is_followed_and_a_write_never(time, status) -> None:
    there = {"location": "https://api.github.com/repositories/7/issues/1"}
    script = Script(*[httpx.Response(status, headers=there), ok()] * 2)
    async with client_of(script, time) as github:
        assert (await github.issue(REPO, 1)).number == 1
        with pytest.raises(Moved) as raised:
            await github.add_labels(REPO, 1, ["bug"])
    assert raised.value.location == there["location"]
    assert [request.method for request in script.seen] == ["GET", "GET", "POST"]


async def test_a_limit_met_in_one_repository_holds_for_it_and_met_in_two_for_all(time) -> None:
    limited = failing(403, "You have exceeded a secondary rate limit", retry_after="3600")
    script = Script(limited, ok(), limited)
    async with client_of(script, time) as github:
        with pytest.raises(RateLimited):
            await github.issue(REPO, 1)
        assert (await github.issue("octo/shed", 1)).number == 1
        with pytest.raises(RateLimited):
            await github.issue(REPO, 2)
        with pytest.raises(RateLimited):
            await github.issue("octo/barn", 1)
        with pytest.raises(RateLimited):
            await github.issue("octo/shed", 2)
    assert len(script.seen) == 3


async def test_what_has_taken_long_is_not_tried_again(time) -> None:
    patience = time.patience(attempts=9, in_all=timedelta(seconds=3))
    script = Script(*[failing(502)] * 3)
    async with GitHubClient.open(transport=script, patience=patience) as github:
        with pytest.raises(Unreachable, match="3 attempt"):
            await github.issue(REPO, 1)


async def test_an_enterprise_base_url_keeps_its_path(time) -> None:
    script = Script(ok())
    async with client_of(script, time, "https://git.example.com/api/v3") as github:
        await github.issue(REPO, 1)
    assert str(script.seen[0].url) == "https://git.example.com/api/v3/repos/octo/lab/issues/1"


async def test_every_request_says_what_it_is(time) -> None:
    script = Script(ok())
    async with client_of(script, time) as github:
        await github.issue(REPO, 1)
    headers = script.seen[0].headers
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == API_VERSION == "2026-03-10"
    assert headers["user-agent"] == "issue-tagger"


async def test_an_older_version_of_the_api_may_be_spoken(time) -> None:
    script = Script(ok())
    async with client_of(script, time, api_version="2022-11-28") as github:
        await github.issue(REPO, 1)
    assert script.seen[0].headers["x-github-api-version"] == "2022-11-28"


async def test_an_observer_hears_of_every_response(time) -> None:
    heard: list[ResponseSeen] = []
    script = Script(failing(500), ok())
    async with client_of(script, time, observer=heard.append) as github:
        await github.issue(REPO, 1)
    assert [one.status for one in heard] == [500, 200]


@pytest.mark.parametrize(
    "repository", ["octo", "octo/..", "../user", "octo/lab/x", "octo/la b", ""]
)
async def test_a_repository_is_owner_and_name(time, repository) -> None:
    async with client_of(Script(), time) as github:
        with pytest.raises(ValueError, match="OWNER/NAME"):
            await github.labels(repository)


async def test_adding_no_label_and_removing_an_empty_one_are_refused(time) -> None:
    async with client_of(Script(), time) as github:
        with pytest.raises(ValueError, match="at least one"):
            await github.add_labels(REPO, 1, [])
        with pytest.raises(ValueError, match="empty name"):
            await github.remove_label(REPO, 1, "")


async def test_errors_carry_no_credentials(time) -> None:
    script = Script(failing(401, "Bad credentials"))
    async with GitHubClient.open(
        auth=TokenAuth("ghp_topsecret"), transport=script, patience=time.patience()
    ) as github:
        with pytest.raises(Unauthorized) as raised:
            await github.issue(REPO, 1)
    assert script.seen[0].headers["authorization"] == "Bearer ghp_topsecret"
    assert "topsecret" not in str(raised.value) + repr(raised.value)


async def test_a_file_is_utf8_with_or_without_a_byte_order_mark(time) -> None:
    script = Script(httpx.Response(200, content=b"\xef\xbb\xbfversion: 1"))
    async with client_of(script, time) as github:
        assert (await github.contents(REPO, "a.yml")).text == "version: 1"
    assert script.seen[0].headers["accept"] == "application/vnd.github.raw+json"


async def test_a_file_that_is_no_text_is_named(time) -> None:
    script = Script(httpx.Response(200, content=b"ok\xff"))
    async with client_of(script, time) as github:
        with pytest.raises(BadPayload, match=r"a\.yml in octo/lab is not UTF-8 at byte 2"):
            await github.contents(REPO, "a.yml")
