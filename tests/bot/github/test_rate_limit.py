"""From status and headers to a point in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.rate_limit import MAX_PAUSE, MIN_PAUSE, RateLimitWait, budget, wait_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def in_seconds(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def exhausted(seconds: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(in_seconds(seconds).timestamp())),
    }


@pytest.mark.parametrize("status", [200, 201, 304, 400, 401, 403, 404, 410, 422])
def test_an_ordinary_answer_asks_for_no_wait(status) -> None:
    headers = {"x-ratelimit-remaining": "4999", "x-ratelimit-reset": "1772370000"}
    message = "Resource not accessible by integration"
    assert wait_after(status, headers, NOW, 0, message) is None


@pytest.mark.parametrize("status", [403, 429])
def test_an_exhausted_budget_waits_for_its_reset(status) -> None:
    assert wait_after(status, exhausted(900), NOW, 0) == RateLimitWait(in_seconds(900), "primary")


@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_counts_before_everything_else(status) -> None:
    headers = exhausted(900) | {"retry-after": "30"}
    assert wait_after(status, headers, NOW, 0) == RateLimitWait(in_seconds(30), "secondary")


def test_retry_after_may_be_a_date() -> None:
    headers = {"retry-after": format_datetime(in_seconds(45), usegmt=True)}
    assert wait_after(429, headers, NOW, 0) == RateLimitWait(in_seconds(45), "secondary")


@pytest.mark.parametrize(
    "message",
    [
        "You have exceeded a secondary rate limit.",
        "You have triggered an abuse detection mechanism.",
    ],
)
@pytest.mark.parametrize(("attempt", "seconds"), [(0, 60), (1, 120), (2, 240)])
def test_a_secondary_limit_without_header_waits_a_minute_and_then_longer(
    message, attempt, seconds
) -> None:
    waits = wait_after(403, {}, NOW, attempt, message)
    assert waits == RateLimitWait(in_seconds(seconds), "secondary")


def test_429_is_a_limit_even_without_any_sign() -> None:
    assert wait_after(429, {}, NOW, 0) == RateLimitWait(in_seconds(60), "secondary")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_back_off_exponentially(status) -> None:
    waits = [wait_after(status, {}, NOW, attempt).until for attempt in range(4)]
    assert waits == [in_seconds(seconds) for seconds in (1, 2, 4, 8)]


def test_a_server_may_say_when_to_come_back() -> None:
    assert wait_after(503, {"retry-after": "20"}, NOW, 0) == RateLimitWait(in_seconds(20), "server")


@pytest.mark.parametrize("ahead", [-7200, -60, 60, 7200])
def test_a_wrong_clock_here_does_not_change_the_length_of_the_wait(ahead) -> None:
    github = NOW + timedelta(seconds=ahead)
    headers = {
        "date": format_datetime(github, usegmt=True),
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(github.timestamp()) + 600),
    }
    assert wait_after(403, headers, NOW, 0) == RateLimitWait(in_seconds(600), "primary")


@given(
    status=st.integers(200, 599),
    retry_after=st.one_of(st.none(), st.text(), st.integers().map(str)),
    remaining=st.one_of(st.text(), st.integers().map(str)),
    reset=st.one_of(st.text(), st.integers().map(str)),
    date=st.text(),
    attempt=st.integers(0, 10**6),
)
def test_whatever_the_headers_say_the_wait_is_bounded(
    status, retry_after, remaining, reset, date, attempt
) -> None:
    headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset, "date": date}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    wait = wait_after(status, headers, NOW, attempt)
    if wait is not None:
        assert NOW + MIN_PAUSE <= wait.until <= NOW + MAX_PAUSE


def test_the_budget_is_none_where_the_headers_do_not_state_it() -> None:
    assert budget({}, NOW) is None
    assert budget({"x-ratelimit-remaining": "many", "x-ratelimit-reset": "1"}, NOW) is None
