"""Networks on a model server, and on this machine while the server does not answer."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from bot.model_serving.served_networks import RowsRequest, answered_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Network, Runner

    Matrix = NDArray[np.float32]
    Ids = NDArray[np.int64]

log = logging.getLogger(__name__)

SECONDS = 30.0
"""For an answer; a connection has two."""

TRIES = 2
RESTING_SECONDS = 15.0
"""Until a server that did not answer is asked again."""

STEP = {"onnx": 1, "onnx-int8": 1, "onnx-int8-static": 1}
"""To how many tokens rows are padded, where not to 16; see `Runner.step`."""


class ServerGone(Exception):
    """The server does not answer, or not as a model server does."""


class NetworkUnknown(Exception):
    """The server has not got this network."""


class ModelServerClient:
    """One model server. Thread-safe.

    :param url: up to and without `/run`.
    :param clock: seconds that only grow.
    :param transport: in place of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._client = httpx.Client(
            timeout=httpx.Timeout(SECONDS, connect=2.0), transport=transport, follow_redirects=False
        )
        self._rests_until = float("-inf")

    def open(
        self, network: Network, runtime: Runtime, device: Any, cache: Any = None, /
    ) -> RemoteRunner:
        """See `RunnerOpener`: nothing is loaded on this machine unless it is needed here."""
        from tagger.runtimes.opening import open_runner

        return RemoteRunner(
            self, network.digest, runtime, lambda: open_runner(network, runtime, device, cache)
        )

    @property
    def resting(self) -> bool:
        """Whether the server is not asked, because it did not answer lately."""
        return self._clock() < self._rests_until

    def ask(self, request: RowsRequest) -> Matrix:
        """:raises ServerGone, NetworkUnknown:"""
        for again in range(TRIES):
            try:
                response = self._client.post(f"{self._url}/run", json=request.as_json())
                response.raise_for_status()
                answer = response.json()
                if "unknown" in answer:
                    raise NetworkUnknown(request.network)
                return answered_rows(answer)
            except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
                if again + 1 == TRIES:
                    self._rest(error)
                    raise ServerGone(str(error)) from error
        raise AssertionError("no try was made")

    def _rest(self, error: Exception) -> None:
        self._rests_until = self._clock() + RESTING_SECONDS
        log.warning(
            "the model server does not answer; computing here",
            extra={"url": self._url, "error": f"{type(error).__name__}: {error}"},
        )


class RemoteRunner:
    """A network on a model server. See `Runner`.

    :param open_here: the same network on this machine, opened when it is first needed.
    """

    weight_bytes = 0
    budget = 4096

    def __init__(
        self,
        server: ModelServerClient,
        digest: str,
        runtime: Runtime,
        open_here: Callable[[], Runner],
    ) -> None:
        self._server, self._digest, self._runtime = server, digest, runtime
        self._open_here = open_here
        self._here: Runner | None = None
        self._unknown = False
        self._opening = threading.Lock()
        self.step = STEP.get(runtime, 16)

    def run(self, ids: Ids, mask: Ids, kinds: Ids | None = None) -> Matrix:
        """See `Runner.run`."""
        if not self._unknown and not self._server.resting:
            try:
                return self._server.ask(RowsRequest(self._digest, self._runtime, ids, mask, kinds))
            except NetworkUnknown:
                self._unknown = True
            except ServerGone:
                pass
        return self._run_here(ids, mask, kinds)

    def _run_here(self, ids: Ids, mask: Ids, kinds: Ids | None) -> Matrix:
        import numpy as np

        with self._opening:
            self._here = self._here or self._open_here()
        size = max(1, self._here.budget // ids.shape[1])
        return np.concatenate(
            [
                self._here.run(
                    ids[start : start + size],
                    mask[start : start + size],
                    None if kinds is None else kinds[start : start + size],
                )
                for start in range(0, len(ids), size)
            ]
        )
