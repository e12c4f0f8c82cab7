"""A GitHub that answers from a list, and time that passes only when somebody sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from bot.github.client import GitHubClient
from bot.github.connection import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

Step = httpx.Response | Exception


class FakeTime:
    """A clock whose `sleep` moves it and returns at once."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def patience(self, **chosen: object) -> RetryPolicy:
        return RetryPolicy(clock=self, sleep=self.sleep, **chosen)


class Script(httpx.AsyncBaseTransport):
    """Answers requests with the steps given, in their order, and remembers the requests."""

    def __init__(self, *steps: Step | Callable[[httpx.Request], httpx.Response]) -> None:
        self.steps = list(steps)
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.seen.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)


def client_of(script: Script, time: FakeTime, base_url: str = "https://api.github.com", **chosen):
    return GitHubClient.open(base_url, transport=script, patience=time.patience(), **chosen)
