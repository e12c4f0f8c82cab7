"""What a worker without a web server shows to Prometheus."""

from __future__ import annotations

import socket

import httpx
import pytest

from bot.errors import CommandRefused
from bot.github.exchange import ResponseSeen
from bot.service.serving import _metrics_shown


def test_a_worker_shows_what_it_counted_and_nothing_of_the_database(installation) -> None:
    installation.metrics.observe_github(ResponseSeen("GET", 200, None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with _metrics_shown(installation.metrics, "127.0.0.1", port):
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'issue_tagger_github_requests_total{method="GET",status="200"} 1.0' in text
    assert "issue_tagger_silent_seconds" not in text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_a_port_that_is_taken_is_refused_with_the_setting_to_change(installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(CommandRefused, match="ISSUE_TAGGER_METRICS_PORT"),
            _metrics_shown(installation.metrics, "127.0.0.1", port),
        ):
            pass
