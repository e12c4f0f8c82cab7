"""Networks on a model server: the same numbers, many callers together, here when it is gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from bot.model_serving.remote_runner import RESTING_SECONDS, ModelServerClient
from bot.model_serving.served_networks import RequestRefused, RowsRequest, ServedNetworks
from tagger.runtimes.runner import Network, run_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS = [[3, 1, 4, 1, 5], [9, 2, 6], [5] * 20]


class Sums:
    """A network that adds up ids, by place; counts its batches."""

    budget, step, weight_bytes = 4096, 16, 0

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.batches: list[tuple[int, ...]] = []

    def run(self, ids: Any, mask: Any, kinds: Any = None) -> NDArray[np.float32]:
        self.batches.append(ids.shape)
        places = np.arange(1, ids.shape[1] + 1)
        of_kinds = 0 if kinds is None else kinds.sum(axis=1)
        sums = (ids * mask * places).sum(axis=1) + of_kinds
        return np.stack([sums, 2 * sums], axis=1).astype(np.float32) * self.factor


class Site:
    """A server without a network, and a client whose clock stands."""

    def __init__(self) -> None:
        self.runner = Sums()
        self.networks = ServedNetworks(lambda *_: self.runner)
        self.networks.open(network("there"), "torch", None)
        self.status: int | Exception = 200
        self.n_asked = 0
        self.now = 0.0
        self.client = ModelServerClient(
            "http://models", clock=lambda: self.now, transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.n_asked += 1
        if isinstance(self.status, Exception):
            raise self.status
        sent = RowsRequest.from_json(json.loads(request.content))
        return httpx.Response(self.status, json=self.networks.run([sent])[0])


def network(digest: str) -> Network:
    return Network(digest, lambda _: pytest.fail("it is not to be built"), 100)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Sums:
    """What is opened on this machine when it has to be."""
    runner = Sums(factor=-1.0)
    monkeypatch.setattr("tagger.runtimes.opening.open_runner", lambda *_: runner)
    return runner


def rows(runner: Any) -> list[float]:
    return run_rows(runner, ROWS, 2)[:, 0].tolist()


def test_the_server_s_numbers_are_those_of_this_machine(site: Site, here: Sums) -> None:
    assert rows(site.client.open(network("there"), "torch", None)) == rows(Sums())
    assert not here.batches


def test_token_types_go_along(site: Site, here: Sums) -> None:
    kinds = [[1] * len(row) for row in ROWS]
    remote = site.client.open(network("there"), "torch", None)
    assert run_rows(remote, ROWS, 2, kinds=kinds).tolist() == (
        run_rows(Sums(), ROWS, 2, kinds=kinds).tolist()
    )
    assert not here.batches


def test_callers_whose_rows_are_equally_wide_are_computed_together(site: Site) -> None:
    asked = [request("there", [[n, n + 1]]) for n in range(30)] + [request("there", [[1, 2, 3]])]
    site.runner.batches.clear()
    answers = site.networks.run(asked)
    assert sorted(site.runner.batches) == [(1, 3), (30, 2)]
    alone = [site.networks.run([each])[0] for each in asked]
    assert answers == alone


def test_a_network_that_the_server_has_not_got_is_computed_here(site: Site, here: Sums) -> None:
    remote = site.client.open(network("of a release"), "torch", None)
    assert rows(remote) == rows(here)
    asked = site.n_asked
    rows(remote)
    assert site.n_asked == asked  # it is not asked for again
    assert rows(site.client.open(network("there"), "torch", None)) == rows(Sums())


def test_another_runtime_is_another_network(site: Site, here: Sums) -> None:
    assert rows(site.client.open(network("there"), "torch-bf16", None)) == rows(here)


@pytest.mark.parametrize(
    "status", [503, 404, 302, httpx.ConnectError("refused"), httpx.ReadTimeout("late")]
)
def test_while_the_server_is_gone_this_machine_computes(
    site: Site, here: Sums, status: int | Exception
) -> None:
    remote = site.client.open(network("there"), "torch", None)
    site.status = status
    assert rows(remote) == rows(here)
    asked = site.n_asked
    assert rows(remote) == rows(here)
    assert site.n_asked == asked  # it rests
    site.status, site.now = 200, RESTING_SECONDS + 1
    assert rows(remote) == rows(Sums())


def test_one_answer_that_fails_is_asked_for_again(site: Site, here: Sums) -> None:
    def once(request: httpx.Request) -> httpx.Response:
        site.n_asked += 1
        if site.n_asked == 1:
            return httpx.Response(503)
        return httpx.Response(200, json=site.networks.run([read(request)])[0])

    client = ModelServerClient("http://models", transport=httpx.MockTransport(once))
    assert rows(client.open(network("there"), "torch", None)) == rows(Sums())
    assert not here.batches


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent.update(shape=[1_000_000, 1_000_000]),
        lambda sent: sent.update(shape=[1, 3]),
        lambda sent: sent.update(shape=[-1, -2]),
        lambda sent: sent.update(ids="no base64"),
        lambda sent: sent.pop("mask"),
        lambda sent: sent.update(shape="ab"),
        lambda sent: sent.update(runtime="abacus"),
    ],
)
def test_what_is_no_request_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    sent = json.loads(json.dumps(request("there", [[1, 2]]).as_json()))
    change(sent)
    with pytest.raises(RequestRefused):
        RowsRequest.from_json(sent)


@pytest.mark.parametrize("ids", [[[100]], [[-1]]])
def test_ids_outside_of_the_vocabulary_reach_no_network(site: Site, ids: list[list[int]]) -> None:
    site.runner.batches.clear()
    assert "vocabulary" in site.networks.run([request("there", ids)])[0]["refused"]
    assert not site.runner.batches


def request(digest: str, ids: list[list[int]]) -> RowsRequest:
    rows = np.array(ids, dtype=np.int64)
    return RowsRequest(digest, "torch", rows, np.ones_like(rows), None)


def read(request: httpx.Request) -> RowsRequest:
    return RowsRequest.from_json(json.loads(request.content))
