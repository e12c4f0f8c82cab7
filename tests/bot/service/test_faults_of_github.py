"""GitHub in network_fault, by every kind of it: the delivery waits, says why, and is worked off
later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes_bot import REPO

from bot.github.connection import RetryPolicy
from bot.simulator.faults import Fault, NetworkFault

pytestmark = pytest.mark.anyio

APPLY = "mode: apply\ndelay_seconds: 0\n"
LIMIT = "You have exceeded a secondary rate limit. Please wait."
TROUBLES = {
    "500": Fault(500),
    "502": Fault(502),
    "403 with Retry-After": Fault(403, {"retry-after": "3600"}, LIMIT),
    "403 secondary without a header": Fault(403, {}, LIMIT),
    "429": Fault(429, {}, "Too many requests"),
    "timeout": Fault(network_fault=NetworkFault.TIMEOUT),
    "connection closed": Fault(network_fault=NetworkFault.CLOSED),
    "half a page": Fault(network_fault=NetworkFault.HALF),
    "API version unknown": Fault(400, {}, "API version 2026-03-10 is not supported."),
    "token expired": Fault(401, {}, "Bad credentials"),
    "permission missing": Fault(403, {}, "Resource not accessible by integration"),
}
ADVICE = {
    "500": "githubstatus.com",
    "502": "githubstatus.com",
    "403 with Retry-After": "retry at",
    "403 secondary without a header": "retry at",
    "429": "retry at",
    "timeout": "githubstatus.com",
    "connection closed": "githubstatus.com",
    "half a page": "retry later",
    "API version unknown": "set GITHUB_API_VERSION",
    "token expired": "check GITHUB_TOKEN",
    "permission missing": "grant the App or token the permission",
}
REQUESTS = {
    "the configuration": ("GET", "/contents/.github/issue-tagger.yml"),
    "a page of the timeline": ("GET", "/timeline"),
    "the write": ("POST", "/issues/1/labels"),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch, clock) -> None:
    async def at_once(self, wait) -> None:
        clock.now = max(clock.now, wait.until)

    monkeypatch.setattr(RetryPolicy, "sit_out", at_once)


def outage(kind: str, request: str) -> list[Fault]:
    """The same fault for every attempt that the client makes of this request."""
    method, path = REQUESTS[request]
    return [replace(TROUBLES[kind], method=method, path=path)] * RetryPolicy.attempts


# A file comes raw, and where its transfer is cut the HTTP library counts the bytes; a file that
# may not be read is no configuration.
FINE = {("half a page", "the configuration"), ("permission missing", "the configuration")}
EACH = [(kind, what) for kind in TROUBLES for what in REQUESTS if (kind, what) not in FINE]


@pytest.mark.parametrize(("kind", "request_"), EACH)
async def test_the_delivery_waits_says_what_to_do_and_is_worked_off_once(
    bench, kind, request_
) -> None:
    bench.configure(APPLY)
    bench.github.fail_next(*outage(kind, request_))
    opened = bench.github.open_issue(REPO, "a bug")
    delivery = await bench.deliver(opened)
    tries = 0 if ADVICE[kind] == "retry at" else 1  # to be asked to wait is no try
    assert (delivery.state, delivery.attempts) == ("pending", tries)
    assert ADVICE[kind] in delivery.error
    assert bench.predictions() == ()
    bench.github.faults.clear()
    bench.clock.now = max(bench.clock.now, delivery.due_at)
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert [one.event for one in bench.github.issue(REPO, 1).events] == ["labeled"]
    assert len(bench.predictions()) == 1


@pytest.mark.parametrize("kind", ["500", "timeout", "connection closed", "half a page"])
async def test_an_answer_lost_after_the_write_sets_no_label_twice(bench, kind) -> None:
    bench.configure(APPLY)
    lost = [replace(one, after_acting=True) for one in outage(kind, "the write")]
    bench.github.fail_next(*lost)
    delivery = await bench.deliver(bench.github.open_issue(REPO, "a bug"))
    assert delivery.state == "pending"
    bench.clock.now = delivery.due_at
    await bench.work()
    assert bench.labels(1) == ["bug"]
    assert [one.event for one in bench.github.issue(REPO, 1).events] == ["labeled"]
    assert len(bench.predictions()) == 1


@pytest.mark.parametrize("kind", ["502", "429", "half a page", "token expired"])
async def test_two_days_of_it_lose_nothing(bench, kind) -> None:
    bench.configure(APPLY)
    opened = bench.github.open_issue(REPO, "a bug")
    bench.receive(opened)
    for _ in range(12):
        bench.github.fail_next(*[TROUBLES[kind]] * 10)
        await bench.work()
        assert bench.delivery(opened).state == "pending"
        bench.clock.advance(hours=4)
        bench.github.faults.clear()
    await bench.work()
    assert bench.delivery(opened).state == "done"
    assert bench.labels(1) == ["bug"]
