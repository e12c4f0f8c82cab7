"""`issue-tagger sync`: issues, labels and their history from GitHub."""

from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, tell


def sync(
    repo: Repo,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    as_json: Json = False,
) -> None:
    """Bring in from GitHub what changed; the first time, everything."""
    import asyncio
    from datetime import UTC, datetime

    from bot.progress import ShownProgress
    from bot.use_cases.syncing import Synced
    from bot.use_cases.syncing import sync as bring_in

    with opened() as installation, ShownProgress() as progress:

        async def through_github() -> Synced:
            access = installation.github()
            try:
                return await bring_in(
                    installation.store,
                    access,
                    repo,
                    now=datetime.now(UTC),
                    full=full,
                    progress=progress,
                )
            finally:
                await access.aclose()

        done = asyncio.run(through_github())
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
