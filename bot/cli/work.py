"""`issue-tagger work`: a further worker beside the service."""

import logging

from bot.cli.opening import opened


def work() -> None:
    """Tag what `serve` received, in a process of its own."""
    from bot.service.serving import run_worker

    with opened(level=logging.INFO) as installation:
        run_worker(installation)
