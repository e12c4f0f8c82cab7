"""`issue-tagger undo`: takes back the labels of a run that nobody has touched since."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.backfill import say_wait
from bot.cli.opening import opened
from bot.cli.options import Json
from bot.cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from bot.bootstrap import Installation
    from bot.use_cases.undoing import Undone
    from tagger.strategy import Progress

LARGEST_RUN = 2**63 - 1
"""What a database can hold."""


def undo(
    run: Annotated[
        int,
        typer.Argument(
            metavar="RUN", min=1, max=LARGEST_RUN, help="The run, as `backfill --apply` named it."
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Take off the labels that a run set and nobody has touched since; say what is left and why."""
    import asyncio

    from bot.progress import ShownProgress

    with opened() as installation, ShownProgress() as progress:
        done = asyncio.run(_run(installation, run, progress))
    if as_json:
        say_json(done.as_json())
        return
    if done.removed or done.left:
        rows = [(f"#{one.number}", one.label, "taken off") for one in done.removed]
        rows += [(f"#{one.number}", one.label, f"left: {one.reason}") for one in done.left]
        say_table(("issue", "label", "what became of it"), rows)
        say()
    say(f"run {run} of {done.repository}: {len(done.removed)} taken off, {len(done.left)} left")


async def _run(installation: "Installation", run: int, progress: "Progress") -> "Undone":
    from bot.use_cases.undoing import undo as take_back
    from bot.use_cases.unhurried import Unhurried

    desk = installation.desk()
    try:
        unhurried = Unhurried(installation.clock, waiting=say_wait)
        return await take_back(desk, run, unhurried=unhurried, progress=progress)
    finally:
        if desk.access is not None:
            await desk.access.aclose()
