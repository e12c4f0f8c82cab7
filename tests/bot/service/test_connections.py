"""Connections that cost: held open, endless, or more than there is room for."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from bot.service import connections
from bot.service.connections import BoundedConnection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 5)


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    text = str(length).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The port of a server."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _echo, http=BoundedConnection, ws="none", lifespan="off", log_config=None, loop="asyncio"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells of it by a flag
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await task


@asynccontextmanager
async def connected(port: int, sent: bytes = b"") -> AsyncIterator[Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    yield reader, writer
    writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends; a reset is an end."""
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""


async def ask(port: int) -> bytes:
    async with connected(port, GET + b"Connection: close\r\n\r\n") as (reader, _):
        return await answer(reader)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        GET + b"X-A: ",
        POST + b"Content-Length: 100\r\n\r\nsome of it",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_a_request_that_does_not_come_to_its_end_is_cut_off(begun: bytes) -> None:
    async with serving() as port, connected(port, begun) as (reader, _):
        assert await answer(reader) == b""


async def test_a_second_request_on_the_same_connection_has_its_own_time() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        for _ in range(4):
            writer.write(POST + b"Content-Length: 5\r\n\r\nhello")
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(1) == b"5"
            await asyncio.sleep(0.15)
        writer.write(POST)
        assert await answer(reader) == b""


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"X-A: b\r\n" * 200 + b"\r\n",
        GET + b"X-A: " + b"b" * 300_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 300_000,
        (GET + b"\r\n") * 50,
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: " + b"b" * 300_000,
    ],
)
async def test_heads_without_end_and_requests_ahead_of_answers_are_refused(sent: bytes) -> None:
    async with serving() as port:
        async with connected(port, sent) as (reader, _):
            assert b"HTTP/1.1 200" not in (await answer(reader))[-200:]
        assert b"200 OK" in await ask(port)


async def test_chunks_of_usual_size_are_read_however_many() -> None:
    async with serving() as port:
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with connected(port, head + chunk * 2000 + b"0\r\n\r\n") as (reader, _):
            assert (await answer(reader)).endswith(b"8192000")


async def test_where_there_are_too_many_the_one_waited_for_longest_makes_way() -> None:
    async with serving() as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for _ in range(3):
            assert b"200 OK" in await ask(port)
        ended = [reader.at_eof() for reader, _ in held]
        assert ended[0]
        assert not ended[-1]
        for _, writer in held:
            writer.close()
