"""Serves the simulator on a free port of 127.0.0.1, from a thread that stops when asked."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from bot.simulator.app import ConnectionFault, create_app
from bot.simulator.faults import NetworkFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bot.simulator.state import GitHubState

_START_SECONDS = 10.0


@contextmanager
def serving(state: GitHubState, prefix: str = "") -> Iterator[str]:
    """Run the simulator while the block runs.

    :yields: the API's base URL, which is also `state.url` from then on.
    :raises RuntimeError: it did not come up within ten seconds.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state.url = f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}"
        server = _Server(uvicorn.Config(
            acted_out(create_app(state, prefix)),
            log_config=None, access_log=False, date_header=False, lifespan="off",
        ))  # fmt: skip
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
        )
        thread.start()
        try:
            if not server.ready.wait(_START_SECONDS):
                raise RuntimeError("the GitHub simulator did not start within ten seconds")
            yield state.url
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """Says when it is up, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def acted_out(app: ASGIApp) -> ASGIApp:
    """The application with timeouts and closed connections acted out on a real socket."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionFault as fault:
            await _act_out(fault.network_fault, receive, send)

    return wrapped


async def _act_out(network_fault: NetworkFault, receive: Receive, send: Send) -> None:
    if network_fault is NetworkFault.TIMEOUT:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    # A promise of a body that never comes makes the server close the connection.
    start: Message = {"type": "http.response.start", "status": 200, "headers": [
        (b"content-length", b"1000"), (b"content-type", b"application/json"),
    ]}  # fmt: skip
    await send(start)
    await send({"type": "http.response.body", "body": b"[", "more_body": True})
