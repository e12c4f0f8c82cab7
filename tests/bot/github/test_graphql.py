"""Discussions by GraphQL: what is sent and where, and errors that come with status 200."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
from fakes_github import FakeTime, Script, client_of

from bot.github.auth import TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import BadPayload, Forbidden, Invalid, NotFound, RateLimited
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio
REPO = "octo/lab"
URL = "http://github.test"


def answer(data: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, json=data, headers=named)


def failing(kind: str, **headers: str) -> httpx.Response:
    errors = [{"type": kind, "message": "no", "path": ["repository"]}]
    return answer({"data": {"repository": None}, "errors": errors}, **headers)


ONE = answer({"data": {"repository": {"nameWithOwner": REPO, "discussion": {"number": 7}}}})


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def github():
    state = GitHubState(url=URL)
    state.add_repository(REPO)
    app = state.create_app("issue-tagger")
    app.permissions = {"discussions": "write", "metadata": "read"}
    installation = state.install(app, REPO)
    token, _ = state.issue_token(installation)
    state.add_label(REPO, "bug", "Something is broken", "ff0000")
    state.open_issue(REPO, "an issue")
    state.open_issue(REPO, "How?", "Tell me", by="renovate[bot]", category="Q&A", labels=["help"])
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, auth=TokenAuth(token), transport=transport) as client:
        client.state = state
        yield client


async def test_a_discussion_is_read_as_issues_are(github) -> None:
    discussion = await github.discussion(REPO, 2)
    assert (discussion.title, discussion.body, discussion.category) == ("How?", "Tell me", "Q&A")
    assert (discussion.target, discussion.state) == ("discussions", "open")
    assert discussion.label_names == {"help"}
    assert (discussion.user.login, discussion.user.is_bot) == ("renovate[bot]", True)
    assert discussion.html_url.endswith(f"{REPO}/discussions/2")


async def test_what_is_no_discussion_is_not_found(github) -> None:
    for number in (1, 99):
        with pytest.raises(NotFound):
            await github.discussion(REPO, number)
    with pytest.raises(NotFound):
        await github.discussion("octo/other", 2)


async def test_labels_are_added_and_taken_off_by_name_and_none_is_made(github) -> None:
    labels = await github.label_discussion(REPO, 2, ["BUG"])
    assert {(each.name, each.color) for each in labels} == {("bug", "ff0000"), ("help", "ededed")}
    with pytest.raises(NotFound):
        await github.label_discussion(REPO, 2, ["bug", "unheard of"])
    assert "unheard of" not in github.state.repository(REPO).labels
    assert await github.unlabel_discussion(REPO, 2, "bug")
    assert not await github.unlabel_discussion(REPO, 2, "unheard of")
    assert github.state.issue(REPO, 2).label_names == ["help"]


async def test_the_list_goes_page_by_page(github) -> None:
    for number in range(60):
        github.state.open_issue(REPO, f"t {number}", category="Ideas")
    pages = [page.items async for page in github.discussions(REPO)]
    assert [len(page) for page in pages] == [50, 11]
    assert len({each.number for page in pages for each in page}) == 61


async def test_a_renamed_repository_says_so(github) -> None:
    github.state.rename_repository(REPO, "shop", by="ada")
    assert (await github.discussion(REPO, 2)).repository_url == "/repos/octo/shop"


async def test_rest_does_not_know_them(github) -> None:
    with pytest.raises(NotFound):
        await github.issue(REPO, 2)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("https://github.acme.test/api/v3", "https://github.acme.test/api/graphql"),
    ],
)
async def test_it_is_asked_where_the_server_has_it(time, base_url, expected) -> None:
    script = Script(ONE)
    async with client_of(script, time, base_url) as github:
        await github.discussion(REPO, 7)
    (request,) = script.seen
    assert (request.method, str(request.url)) == ("POST", expected)
    assert json.loads(request.content)["variables"] == {"owner": "octo", "name": "lab", "number": 7}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("NOT_FOUND", NotFound),
        ("FORBIDDEN", Forbidden),
        ("INSUFFICIENT_SCOPES", Forbidden),
        ("UNPROCESSABLE", Invalid),
        ("SOMETHING_NEW", Invalid),
    ],
)
async def test_errors_are_those_of_rest(time, kind, error) -> None:
    async with client_of(Script(failing(kind)), time) as github:
        with pytest.raises(error, match="no"):
            await github.discussion(REPO, 7)


async def test_an_answer_without_data_is_damaged(time) -> None:
    async with client_of(Script(answer({"hello": 1})), time) as github:
        with pytest.raises(BadPayload):
            await github.discussion(REPO, 7)


async def test_a_limit_is_waited_out_by_who_reads_and_not_by_who_writes(time) -> None:
    async with client_of(Script(failing("RATE_LIMITED"), ONE), time) as github:
        assert (await github.discussion(REPO, 7)).number == 7
    assert time.slept == [60]
    ids = {"discussion": {"id": "D"}, "label": {"id": "L", "name": "bug"}}
    found = answer({"data": {"repository": {"nameWithOwner": REPO, **ids}}})
    async with client_of(Script(found, failing("RATE_LIMITED")), time) as github:
        with pytest.raises(RateLimited):
            await github.label_discussion(REPO, 7, ["bug"])


async def test_a_budget_that_is_spent_holds_up_graphql_alone(time) -> None:
    reset = str(int((time.now + timedelta(minutes=30)).timestamp()))
    spent = failing("RATE_LIMITED", x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    script = Script(spent, httpx.Response(200, json={"number": 1, "title": "t"}))
    async with client_of(script, time) as github:
        for _ in range(2):
            with pytest.raises(RateLimited):
                await github.discussion(REPO, 7)
        assert (await github.issue(REPO, 1)).number == 1
    assert len(script.seen) == 2


async def test_a_server_error_is_tried_again_where_it_only_reads(time) -> None:
    async with client_of(Script(httpx.Response(502), ONE), time) as github:
        assert (await github.discussion(REPO, 7)).number == 7
