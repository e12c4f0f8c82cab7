"""`issue-tagger sync`: issues, labels and their history from GitHub."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.bootstrap import Installation
    from bot.use_cases.syncing import Synced
    from tagger.strategy import Progress


def sync(
    repo: Repo,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    as_json: Json = False,
) -> None:
    """Bring in from GitHub what changed; the first time, everything."""
    import asyncio

    from bot.progress import ShownProgress

    with opened() as installation, ShownProgress() as progress:
        done = asyncio.run(_through_github(installation, repo, progress, full=full))
    if done.note:
        tell(f"note: {done.note}")
    issues = done.issues
    if as_json:
        say_json(
            {
                "repository": done.repository,
                "new": issues.new,
                "changed": issues.changed,
                "unchanged": issues.unchanged,
                "labels": done.labels,
                "label_acts": done.acts,
                "note": done.note,
            }
        )
        return
    say(
        f"{done.repository}: {issues.new} new, {issues.changed} changed, {issues.unchanged} "
        f"unchanged; {done.labels} labels; {done.acts} new acts in the label history"
    )


async def _through_github(
    installation: "Installation", repo: str, progress: "Progress", *, full: bool
) -> "Synced":
    from bot.use_cases.syncing import sync as bring_in

    access = installation.github()
    try:
        return await bring_in(
            installation.store, access, repo, now=installation.clock(), full=full, progress=progress
        )
    finally:
        await access.aclose()
