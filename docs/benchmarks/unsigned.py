"""What 500 connections that are not signed cost: memory, and signed webhooks' time beside them.

    python docs/benchmarks/unsigned.py --connections 500 --seconds 15 --rate 20

Starts `issue-tagger serve --no-worker` on SQLite, sends it signed webhooks at a steady rate from a
process of its own, and meanwhile has another process hold connections open, each by one of:

- unsigned: a body of 24 MB without a signature, sent as fast as it is taken;
- false: the same under a well-formed signature that is wrong, all but the last byte;
- false, small: bodies of 1 MB in the same way;
- false, slow: bodies of 24 MB of which a byte comes each tenth of a second;
- head: a request whose head never ends;
- silent: nothing at all.

A connection that the service ends is opened anew after `--again` seconds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from bot.demo.service import free_port
from bot.github.signature import sign
from bot.process.settings import environment_of, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "benchmark"  # noqa: S105 - signs deliveries to ourselves
LARGE, SMALL = 24 * 1024 * 1024, 1024 * 1024
PIECE = b"x" * 65536
KINDS = ("none", "unsigned", "false", "false, small", "false, slow", "head", "silent")


def main() -> None:
    """Run the benchmark that the command line describes."""
    wanted = _arguments()
    print(f"{wanted.connections} connections; load average {os.getloadavg()[0]:.1f}\n")
    print(
        "| connections | RSS MB before | most | added | signed, 202 | median ms | p99 ms | max ms |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for kind in wanted.kinds:
        with _serving() as (process, url):
            asyncio.run(_signed(url, 20.0, 2.0, "warm"))  # so that all is loaded
            _report(kind, process.pid, url, wanted)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rate", type=float, default=20.0, help="signed webhooks a second")
    parser.add_argument("--again", type=float, default=2.0, help="seconds until opened anew")
    parser.add_argument("--kinds", type=lambda text: text.split(";"), default=list(KINDS))
    return parser.parse_args()


@contextmanager
def _serving() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder), webhook_secret=SECRET, host="127.0.0.1", port=free_port()
        )
        url = f"http://127.0.0.1:{settings.port}"
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve", "--no-worker"],
                env=environment_of(settings),
                stdout=log,
                stderr=log,
            )
            try:
                _wait_until_up(url)
                yield process, url
            finally:
                process.terminate()
                process.wait(30)


def _wait_until_up(url: str) -> None:
    for _ in range(600):
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the service did not come up")


def _report(kind: str, pid: int, url: str, wanted: argparse.Namespace) -> None:
    before, stop, seen = _rss(pid), threading.Event(), [0.0]
    watching = threading.Thread(target=_watch, args=(pid, stop, seen))
    watching.start()
    context = multiprocessing.get_context("spawn")
    attack = context.Process(target=_attack, args=(url, kind, wanted))
    attack.start()
    time.sleep(0 if kind == "none" else 3)
    with context.Pool(1) as pool:
        arguments = (url, wanted.rate, wanted.seconds, kind)
        answers = pool.apply(_signed_in_process, arguments)
    attack.kill()
    attack.join()
    stop.set()
    watching.join()
    times = sorted(seconds * 1000 for _, seconds in answers)
    accepted = sum(status == 202 for status, _ in answers)
    p99 = times[min(round(len(times) * 0.99), len(times) - 1)]
    print(
        f"| {kind} | {before:.0f} | {seen[0]:.0f} | {seen[0] - before:.0f} | {accepted} of "
        f"{len(answers)} | {statistics.median(times):.1f} | {p99:.1f} | {times[-1]:.1f} |",
        flush=True,
    )


def _watch(pid: int, stop: threading.Event, most: list[float]) -> None:
    while not stop.wait(0.02):
        most[0] = max(most[0], _rss(pid))


def _rss(pid: int) -> float:
    """Resident memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _signed_in_process(url: str, rate: float, seconds: float, name: str) -> list[tuple[int, float]]:
    return asyncio.run(_signed(url, rate, seconds, name))


async def _signed(url: str, rate: float, seconds: float, name: str) -> list[tuple[int, float]]:
    """Post at a steady rate, whether or not earlier ones were answered; each over a new one."""
    began = time.perf_counter() + 0.5
    return await asyncio.gather(
        *(
            _post(url, f"{name}-{i}".replace(", ", "-"), began + i / rate)
            for i in range(round(rate * seconds))
        )
    )


async def _post(url: str, guid: str, at: float) -> tuple[int, float]:
    issue = {"number": 1, "title": "It crashes", "body": "at start " * 500, "labels": []}
    repository = {"id": 1, "full_name": "acme/rocket"}
    body = json.dumps({"action": "opened", "issue": issue, "repository": repository}).encode()
    request = (
        f"POST /webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: issues\r\nConnection: close\r\n"
        f"X-GitHub-Delivery: {guid}\r\nX-Hub-Signature-256: {sign(body, SECRET)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    there = urlsplit(url)
    await asyncio.sleep(max(at - time.perf_counter(), 0))
    try:
        reader, writer = await asyncio.open_connection(there.hostname, there.port)
        writer.write(request.encode() + body)
        status = int((await reader.readline()).split()[1])
        writer.close()
    except (OSError, IndexError):
        status = 0
    return status, time.perf_counter() - at


def _attack(url: str, kind: str, wanted: argparse.Namespace) -> None:
    if kind == "none":
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.disable(logging.CRITICAL)  # asyncio warns of every connection that was ended
    asyncio.run(_hold_all(url, kind, wanted))


async def _hold_all(url: str, kind: str, wanted: argparse.Namespace) -> None:
    await asyncio.gather(*(_hold_again(url, kind, wanted.again) for _ in range(wanted.connections)))


async def _hold_again(url: str, kind: str, again: float) -> None:
    while True:
        with suppress(OSError):
            await _hold(url, kind)
        await asyncio.sleep(again * random.uniform(0.5, 1.5))


async def _hold(url: str, kind: str) -> None:
    """One connection, held for as long as the service lets it be."""
    there = urlsplit(url)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    sending = asyncio.create_task(_send(writer, kind))
    try:
        await reader.read()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


async def _send(writer: asyncio.StreamWriter, kind: str) -> None:
    if kind == "silent":
        return
    writer.write(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
    if kind == "head":
        while True:
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.1)
    length = SMALL if kind == "false, small" else LARGE
    if kind != "unsigned":
        writer.write(b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % length)
    if kind == "false, slow":
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.1)
    for _ in range(length // len(PIECE) - 1):
        writer.write(PIECE)
        await writer.drain()
    writer.write(PIECE[:-1])
    await writer.drain()


if __name__ == "__main__":
    main()
