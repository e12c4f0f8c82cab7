"""Runs the service, or a further worker, until the process is asked to end."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bot.errors import CommandRefused, SettingsInvalid
from bot.jobs.worker_pool import QUEUES, work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fastapi import FastAPI

    from bot.container import Container
    from bot.jobs.delivery_queue import DeliveryLimits
    from bot.jobs.worker_pool import WorkerPool
    from bot.operations.metrics import Metrics
    from bot.process.settings import Settings


LOOPBACK = "127.0.0.1"
SWITCH_SECONDS = 0.0005
"""How long a thread that computes may hold Python's lock while the one that answers waits for it:
a tenth of the default, because an answer needs the lock some twenty times."""


def serve(
    container: Container,
    *,
    host: str | None = None,
    port: int | None = None,
    worker: bool = True,
    pace: DeliveryLimits | None = None,
) -> None:
    """Answer webhooks until SIGINT or SIGTERM.

    :param host, port: instead of the settings'.
    :param worker: tag in this process too, at this `pace`.
    :raises SettingsInvalid: there are credentials and no webhook secret: GitHub could not be told
        from anyone else. Without credentials the set-up page is served, and deliveries are refused.
    :raises CommandRefused: nobody can listen there.
    """
    from bot.service.app import create_app

    settings = container.settings
    _refuse_without_secret(settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    container.threads = 1  # the other processor answers
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    _refuse_taken(host, port)
    app = create_app(container, worker=worker, pace=pace)
    app.state.setup.announce(f"http://{_shown(host)}:{port}")
    _listen(app, host, port)


def open_pages(
    container: Container, *, port: int, back: str, opened: Callable[[str], None]
) -> None:
    """Show the pages on this machine alone, until SIGINT or SIGTERM; nothing is tagged meanwhile.

    :param port: 0 takes a free one.
    :param back: the path to begin at.
    :param opened: told the one-time link.
    :raises CommandRefused: nobody can listen there.
    """
    from bot.service.app import create_app
    from bot.signin.one_time_link import OneTimeLink

    link = OneTimeLink()
    port = port or _free_port()
    _refuse_taken(LOOPBACK, port)
    app = create_app(container, worker=False, link=link)
    token = link.renew(container.clock())
    opened(f"http://{LOOPBACK}:{port}/signin/once?{urlencode({'token': token, 'back': back})}")
    _listen(app, LOOPBACK, port)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listen(app: FastAPI, host: str, port: int) -> None:
    import uvicorn

    from bot.service.connections import BoundedConnection

    uvicorn.run(
        app,
        host=host,
        port=port,
        # bot.process.logs has set up how lines look, and access lines would name people
        log_config=None,
        access_log=False,
        server_header=False,
        http=BoundedConnection,
        ws="none",
        timeout_graceful_shutdown=10,
    )


def run_worker(
    container: Container,
    *,
    queues: Collection[str] = QUEUES,
    pace: DeliveryLimits | None = None,
    metrics_port: int | None = None,
) -> None:
    """Work, beside a service in another process, until SIGINT or SIGTERM.

    :param metrics_port: instead of the settings'; with neither, no metrics are shown.
    """
    settings = container.settings
    port = settings.metrics_port if metrics_port is None else metrics_port
    container.store.migrate()
    with _metrics_shown(container.metrics, settings.host, port):
        asyncio.run(work(container, pace, queues, started=_stop_on_signals))


@contextmanager
def _metrics_shown(metrics: Metrics, host: str, port: int | None) -> Iterator[None]:
    if port is None:
        yield
        return
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, metrics.counted)
    except OSError as error:
        raise CommandRefused(
            f"cannot show metrics on {host}:{port} ({error.strerror}); choose another with "
            "ISSUE_TAGGER_METRICS_PORT"
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _refuse_without_secret(settings: Settings) -> None:
    set_up = settings.github_app_id is not None or settings.github_token is not None
    if set_up and not settings.webhook_secrets:
        raise SettingsInvalid(
            [
                "ISSUE_TAGGER_WEBHOOK_SECRET is not set; give the secret that GitHub signs "
                "webhooks with"
            ]
        )


def _shown(host: str) -> str:
    return "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound


def _refuse_taken(host: str, port: int) -> None:
    """Find out before anything is loaded, and in our words, whether there is where to listen.

    One address of several may be missing (`localhost` on a machine without IPv6).
    """
    refused: list[OSError] = []
    places = []
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        refused.append(error)
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            refused.append(error)
    missing = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
    if refused and (len(refused) >= len(places) or any(e.errno not in missing for e in refused)):
        raise CommandRefused(
            f"cannot listen on {host}:{port} ({refused[0].strerror}); choose another place with "
            "--host and --port, or ISSUE_TAGGER_HOST and ISSUE_TAGGER_PORT"
        )


def _stop_on_signals(pool: WorkerPool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pool.stop)
