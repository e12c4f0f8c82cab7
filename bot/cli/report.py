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
    from bot.progress import waiting
    from bot.use_cases.reporting import report as take_stock
    from bot.use_cases.reporting import write_files

    with opened() as installation, waiting("taking stock"):
        found = take_stock(installation.store, installation.shelf, repo, now=installation.clock())
    files = write_files(found, out) if out else ()
    if as_json:
        say_json(found.document)
        return
    for line in found.text.splitlines():
        say(plain(line))
    if files:
        say()
        say("report: " + ", ".join(map(str, files)))
