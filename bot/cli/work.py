"""`issue-tagger work`: a further worker beside the service."""

import logging
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.opening import opened


class Lane(StrEnum):
    """A kind of work; typer takes no list of literals."""

    TAGGING = "tagging"
    UPKEEP = "upkeep"
    TRAINING = "training"


def work(
    *,
    only: Annotated[
        list[Lane] | None,
        typer.Option(help="Work in this lane alone; may be given twice. Default: in all."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of ISSUE_TAGGER_METRICS_PORT.")
    ] = None,
) -> None:
    """Tag what `serve` received, in a process of its own; report, reconcile, train."""
    from bot.crew import LANES
    from bot.service.serving import run_worker

    with opened(level=logging.INFO) as installation:
        lanes = tuple(one.value for one in only) if only else LANES
        run_worker(installation, lanes=lanes, metrics_port=metrics_port)
