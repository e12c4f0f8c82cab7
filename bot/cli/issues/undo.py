"""`issue-tagger undo`: takes back the labels of a run that nobody has touched since."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.issues.backfill import say_wait
from bot.cli.opening import opened
from bot.cli.options import Json
from bot.cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from bot.backfilling.undoing import Undone
    from bot.container import Container
    from tagger.domain.strategy import Progress

MAX_RUN = 2**63 - 1
"""What a database can hold."""


def undo(
    run: Annotated[
        int,
        typer.Argument(
            metavar="RUN", min=1, max=MAX_RUN, help="The run, as `backfill --apply` named it."
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Take off the labels that a run set and nobody has touched since; say what is left and why."""
    import asyncio

    from bot.process.progress import ShownProgress

    with opened() as container, ShownProgress() as progress:
        done = asyncio.run(_run(container, run, progress))
    if as_json:
        say_json(done.as_json())
        return
    if done.removed or done.left:
        rows = [
            (f"#{undone_label.number}", undone_label.label, "taken off")
            for undone_label in done.removed
        ]
        rows += [
            (f"#{undone_label.number}", undone_label.label, f"left: {undone_label.reason}")
            for undone_label in done.left
        ]
        say_table(("issue", "label", "what became of it"), rows)
        say()
    say(f"run {run} of {done.repository}: {len(done.removed)} taken off, {len(done.left)} left")


async def _run(container: "Container", run: int, progress: "Progress") -> "Undone":
    from bot.backfilling.throttling import Throttled
    from bot.backfilling.undoing import undo as take_back

    context = container.context()
    try:
        throttled = Throttled(container.clock, waiting=say_wait)
        return await take_back(context, run, throttled=throttled, progress=progress)
    finally:
        if context.access is not None:
            await context.access.aclose()
