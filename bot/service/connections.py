"""What one connection may cost before anybody knows whose it is; and how many there are.

Without this an HTTP server holds a connection for as long as its other end likes, takes headers
without end, and queues whatever is sent ahead of the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

MAX_CONNECTIONS = 256
"""The first read of each may hold a quarter of a megabyte, before anybody looks at it."""
REQUEST_SECONDS = 15.0
"""From the first byte of a request to its last; the webhook itself gives up after ten."""
MAX_HEADERS = 100
MAX_AHEAD = 4
"""Requests that are sent before earlier ones were answered."""
MAX_FRAMING = 64 * 1024
"""Bytes of a request that are no body: its head, the sizes of chunks, what comes after them."""


class BoundedConnection(HttpToolsProtocol):
    """Closed where a request does not come to its end in time.

    Where there are too many, the one that has been waited for longest makes way for the newest:
    GitHub's sends all it has at once, so it is not among those.
    """

    _waited_for_since: float | None = None
    """When the other end was to send; None while it is we who owe an answer."""
    _timer: asyncio.TimerHandle | None = None
    _framing = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MAX_CONNECTIONS:
            self._longest_waited_for()._drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)
        self._drop_body()

    def data_received(self, data: bytes) -> None:
        if self._timer is None and self._waited_for_since is not None:
            self._wait()
        self._framing += len(data)
        super().data_received(data)
        if self._framing > MAX_FRAMING and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_AHEAD:
            raise ValueError("too many requests ahead of their answers")
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.flow.pause_reading()  # until the body is asked for, or the answer is given

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body) + len(body) // 16
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing = 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._waited_for_since is None and not self.pipeline:
            self._waited_for_since = self.loop.time()  # uvicorn waits for the next, five seconds
        super().on_response_complete()
        if self.cycle.response_complete:
            self._drop_body()

    def _wait(self) -> None:
        self._waited_for_since = self.loop.time()
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._drop)

    def _stop_waiting(self) -> None:
        self._waited_for_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _longest_waited_for(self) -> BoundedConnection:
        """The connection itself, where no other is older."""
        waited_for = {
            connection: connection._waited_for_since
            for connection in self.connections
            if isinstance(connection, BoundedConnection)
            and connection._waited_for_since is not None
        }
        return min(waited_for, key=lambda connection: waited_for[connection], default=self)

    def _drop_body(self) -> None:
        """What nobody asked for: a finished request holds it until circles are looked for."""
        if self.cycle is not None:
            self.cycle.body = bytearray()

    def _drop(self) -> None:
        self._stop_waiting()
        self.connections.discard(self)  # at once: more may come before it is gone
        self.transport.abort()
