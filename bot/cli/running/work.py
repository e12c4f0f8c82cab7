"""`issue-tagger work`: a further worker beside the service."""

import logging
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.opening import opened


class WorkKind(StrEnum):
    """A kind of work; typer takes no list of literals."""

    TAGGING = "tagging"
    UPKEEP = "upkeep"
    TRAINING = "training"


def work(
    *,
    only: Annotated[
        list[WorkKind] | None,
        typer.Option(help="Work in this queue alone; may be given twice. Default: in all."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of ISSUE_TAGGER_METRICS_PORT.")
    ] = None,
) -> None:
    """Tag what `serve` received, in a process of its own; report, reconcile, train."""
    from bot.jobs.worker_pool import QUEUES
    from bot.service.serving import run_worker

    with opened(level=logging.INFO) as container:
        queues = tuple(work_kind.value for work_kind in only) if only else QUEUES
        run_worker(container, queues=queues, metrics_port=metrics_port)
