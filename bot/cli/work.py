"""`issue-tagger work`: a further worker beside the service."""

import logging
from typing import Annotated, Literal

import typer

from bot.cli.opening import opened


def work(
    *,
    only: Annotated[
        list[Literal["tagging", "upkeep", "training"]] | None,
        typer.Option(help="Work in this lane alone; may be given twice. Default: in all."),
    ] = None,
) -> None:
    """Tag what `serve` received, in a process of its own; report, reconcile, train."""
    from bot.crew import LANES
    from bot.service.serving import run_worker

    with opened(level=logging.INFO) as installation:
        run_worker(installation, lanes=only or LANES)
