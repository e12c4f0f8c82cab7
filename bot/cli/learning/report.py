"""`issue-tagger report`: how labels do in use, what changed, whether to retrain."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import plain, say, say_json


def report(
    repo: Repo,
    *,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write files there too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell how good labels are in use, compare with the last report, and keep this one."""
    from bot.evaluating.reporting import report as take_stock
    from bot.evaluating.reporting import write_files
    from bot.process.progress import waiting

    with opened() as container, waiting("taking stock"):
        reported = take_stock(container.store, container.cache, repo, now=container.clock())
    files = write_files(reported, out) if out else ()
    if as_json:
        say_json(reported.document)
        return
    for line in reported.text.splitlines():
        say(plain(line))
    if files:
        say()
        say("report: " + ", ".join(map(str, files)))
