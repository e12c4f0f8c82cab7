"""`issue-tagger serve`: receive webhooks, and tag in the same process."""

import logging
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from bot.cli.opening import opened


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Instead of ISSUE_TAGGER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of ISSUE_TAGGER_PORT.")
    ] = None,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Tag in this process too.")
    ] = True,
) -> None:
    """Receive webhooks and tag issues until asked to end."""
    from bot.service.serving import serve as run

    # uvicorn hands the work back first, and raises the signal once more when that is done
    signal.signal(signal.SIGTERM, _end)
    with opened(level=logging.INFO) as container:
        run(container, host=host, port=port, worker=worker)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signals call
    """Whoever runs services asks them to end by SIGTERM: doing so is no failure."""
    sys.exit(0)
