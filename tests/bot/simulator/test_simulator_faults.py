"""The simulator's faults, in the same process and over a real socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.github.auth import AppAuth, TokenAuth
from bot.github.client import GitHubClient
from bot.github.connection import RetryPolicy
from bot.github.errors import BadPayload, RateLimited, Unreachable
from bot.github.events import read_event
from bot.github.signature import verify
from bot.simulator.faults import Fault, NetworkFault, network_fault, secondary_limit, server_error
from bot.simulator.server import serving
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport
from bot.simulator.webhooks import WebhookSender

pytestmark = pytest.mark.anyio
REPO = "octo/lab"
URL = "http://github.test"


async def no_sleep(seconds: float) -> None:
    """Waiting is not what is tested here."""


@pytest.fixture
def state() -> GitHubState:
    state = GitHubState(url=URL)
    state.add_repository(REPO)
    state.add_token("secret", "machine")
    state.set_role(REPO, "machine", "write")
    state.open_issue(REPO, "t")
    return state


def client(state: GitHubState, attempts: int = 1) -> GitHubClient:
    return GitHubClient.open(
        URL,
        auth=TokenAuth("secret"),
        transport=SimulatorTransport(state),
        patience=RetryPolicy(attempts=attempts, sleep=no_sleep),
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (server_error(500), Unreachable),
        (server_error(502), Unreachable),
        (secondary_limit(30), RateLimited),
        (secondary_limit(), RateLimited),
        (secondary_limit(status=429), RateLimited),
        (network_fault(NetworkFault.TIMEOUT), Unreachable),
        (network_fault(NetworkFault.CLOSED), Unreachable),
        (network_fault(NetworkFault.HALF), BadPayload),
    ],
)
async def test_a_fault_hits_one_request_and_the_next_one_works(state, fault, error) -> None:
    state.fail_next(fault)
    async with client(state) as github:
        with pytest.raises(error):
            await github.issue(REPO, 1)
        assert (await github.speaking_as(TokenAuth("secret")).issue(REPO, 1)).number == 1


async def test_an_answer_may_be_lost_after_the_act(state) -> None:
    state.fail_next(network_fault(NetworkFault.CLOSED, after_acting=True))
    async with client(state, attempts=2) as github:
        with pytest.raises(Unreachable) as raised:
            await github.add_labels(REPO, 1, ["bug"])
        assert raised.value.may_have_happened
        await github.add_labels(REPO, 1, ["bug"])
    assert [event.event for event in state.issue(REPO, 1).events] == ["labeled"]
    assert [seen.method for seen in state.requests] == ["POST", "POST"]


async def test_a_fault_may_wait_for_its_request(state) -> None:
    state.fail_next(Fault(500, method="POST", path="/labels"))
    async with client(state) as github:
        await github.issue(REPO, 1)
        with pytest.raises(Unreachable):
            await github.add_labels(REPO, 1, ["bug"])
    assert state.issue(REPO, 1).labels == []


async def test_the_hourly_budget_runs_out_and_comes_back() -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    state = GitHubState(lambda: now[0], url=URL)
    state.add_repository(REPO)
    state.open_issue(REPO, "t")
    state.budget("").remaining = 2
    transport = SimulatorTransport(state)
    patience = RetryPolicy(clock=lambda: now[0], sleep=no_sleep)
    async with GitHubClient.open(URL, transport=transport, patience=patience) as github:
        await github.issue(REPO, 1)
        await github.issue(REPO, 1)
        with pytest.raises(RateLimited) as raised:
            await github.issue(REPO, 1)
        assert raised.value.retry_at == now[0] + timedelta(hours=1)
        now[0] = raised.value.retry_at
        assert (await github.issue(REPO, 1)).number == 1


async def test_a_304_costs_nothing(state) -> None:
    state.push_file(REPO, "a", "text")
    async with client(state) as github:
        first = await github.contents(REPO, "a")
        before = state.budget("machine").remaining
        await github.contents(REPO, "a", etag=first.etag)
    assert state.budget("machine").remaining == before


async def test_it_serves_on_a_real_port_and_stops(state) -> None:
    with serving(state) as url:
        async with GitHubClient.open(url, auth=TokenAuth("secret")) as github:
            assert (await github.issue(REPO, 1)).title == "t"
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{url}/user")


async def test_on_a_socket_too_connections_close_and_pages_are_cut(state) -> None:
    patience = RetryPolicy(attempts=1)
    with serving(state, "/api/v3") as url:
        async with GitHubClient.open(url, auth=TokenAuth("secret"), patience=patience) as github:
            state.fail_next(network_fault(NetworkFault.CLOSED))
            with pytest.raises(Unreachable, match="RemoteProtocolError"):
                await github.issue(REPO, 1)
            state.fail_next(network_fault(NetworkFault.HALF))
            with pytest.raises(BadPayload):
                await github.issue(REPO, 1)
            assert (await github.issue(REPO, 1)).title == "t"


async def test_on_a_socket_a_timeout_lasts_until_the_client_leaves(state) -> None:
    with serving(state) as url:
        state.fail_next(network_fault(NetworkFault.TIMEOUT))
        async with httpx.AsyncClient(timeout=0.2) as http:
            with pytest.raises(httpx.ReadTimeout):
                await http.get(f"{url}/repos/{REPO}")


async def test_webhooks_are_signed_and_their_answers_kept(state) -> None:
    received: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(202 if len(received) < 3 else 500)

    transport = httpx.MockTransport(receive)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as http:
        sender = WebhookSender(state, http, "/webhook", "shared secret")
        state.add_labels(REPO, 1, ["bug"], by="ada")
        codes = await sender.send_pending()
        assert await sender.send_pending() == []
    assert codes == [202, 202, 500]
    assert [one.headers["x-github-event"] for one in received] == ["issues", "label", "issues"]
    assert all(
        verify(one.content, one.headers["x-hub-signature-256"], ["shared secret"])
        for one in received
    )
    guids = {one.headers["x-github-delivery"] for one in received}
    assert guids == {one.guid for one in state.deliveries}


async def test_failed_deliveries_are_listed_and_sent_again_with_their_guid(state) -> None:
    app = state.create_app("issue-tagger")
    state.install(app, REPO)
    opened = state.open_issue(REPO, "second")
    transport = SimulatorTransport(state)
    down = httpx.MockTransport(lambda request: httpx.Response(503))
    async with httpx.AsyncClient(transport=down) as http:
        await WebhookSender(state, http, "http://bot.test", "s").send(opened)
    auth = AppAuth(app.id, app.private_key)
    async with GitHubClient.open(URL, auth=auth, transport=transport) as github:
        listed = [one async for page in github.hook_deliveries() for one in page.items]
        (failed,) = [one for one in listed if not one.succeeded]
        assert failed.guid == opened.guid
        await github.redeliver(failed.id)
    again = state.deliveries[-1]
    assert (again.guid, again.redelivery, again.status_code) == (opened.guid, True, None)


async def test_every_act_causes_a_webhook_that_can_be_read(state) -> None:
    app = state.create_app("issue-tagger")
    installation = state.install(app, REPO)
    state.add_labels(REPO, 1, ["bug"], by="ada")
    state.remove_label(REPO, 1, "bug", by="issue-tagger[bot]")
    state.edit_issue(REPO, 1, by="ada", title="new", body="text")
    state.comment(REPO, 1, "/tagger why", by="ada")
    state.set_state(REPO, 1, "closed", by="ada")
    state.rename_label(REPO, "bug", "defect", by="ada")
    state.delete_label(REPO, "defect", by="ada")
    state.push_file(REPO, ".github/issue-tagger.yml", "version: 1")
    state.rename_repository(REPO, "workshop", by="ada")
    state.uninstall(installation)
    facts = [read_event(one.event, one.payload) for one in state.deliveries]
    assert [fact.action for fact in facts] == [
        "opened", "created", "created", "labeled", "unlabeled", "edited", "created", "closed",
        "edited", "deleted", "", "renamed", "deleted",
    ]  # fmt: skip
    assert [fact.by_bot for fact in facts].index(True) == 4
    assert all(fact.installation == installation.id for fact in facts[1:])
