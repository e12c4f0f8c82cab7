"""`issue-tagger serve`: receive webhooks, and tag in the same process."""

import logging
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

    with opened(level=logging.INFO) as installation:
        run(installation, host=host, port=port, worker=worker)
