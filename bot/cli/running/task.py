"""`issue-tagger task`: one task of the database in a process of its own; workers start it."""

import logging
from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.output import say_json


def task(key: Annotated[str, typer.Argument(help="As the database names it: KIND:ID.")]) -> None:
    """Do one task that a worker holds, and say what came of it."""
    from bot.jobs.task_subprocess import report

    with opened(level=logging.INFO) as container:
        say_json(report(container, key))
