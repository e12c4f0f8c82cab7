"""`issue-tagger sync`: issues, labels and their history from GitHub."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.container import Container
    from bot.repositories.reconciling import Reconciled
    from bot.repositories.syncing import Synced
    from tagger.domain.strategy import Progress


def sync(
    repo: Repo,
    *,
    full: Annotated[
        bool,
        typer.Option("--full", help="Read everything again, and forget issues that are gone."),
    ] = False,
    reconcile: Annotated[
        bool,
        typer.Option("--reconcile", help="Also have tagged what no webhook told of."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring in from GitHub what changed; the first time, everything."""
    import asyncio

    from bot.process.progress import ShownProgress
    from bot.repositories.reconciling import reconcile as sweep

    if full and reconcile:
        raise typer.BadParameter("give --full or --reconcile, not both")
    swept: Reconciled | None = None
    with opened() as container, ShownProgress() as progress:
        container.longest_wait = timedelta(minutes=1)
        if reconcile:
            swept = sweep(container, repo, progress)
            done = swept.synced
        else:
            done = asyncio.run(_through_github(container, repo, progress, full=full))
    if done.note:
        tell(f"note: {done.note}")
    if as_json:
        say_json(_as_json(done) | (_swept_as_json(swept) if swept else {}))
    else:
        _say(done, swept)


def _say(done: "Synced", swept: "Reconciled | None") -> None:
    issues = done.issues
    forgotten = f"; {done.forgotten} forgotten, GitHub has them no more" if done.forgotten else ""
    say(
        f"{done.repository}: {issues.new} new, {issues.changed} changed, {issues.unchanged} "
        f"unchanged; {done.labels} labels; {done.acts} new acts in the label history{forgotten}"
    )
    if swept:
        say(
            f"{swept.recovered.taken_in} failed deliveries taken in, "
            f"{swept.recovered.asked_again} asked for again; "
            f"{swept.made_up} events made up for that were never delivered"
        )


def _as_json(done: "Synced") -> dict[str, Any]:
    return {
        "repository": done.repository,
        "new": done.issues.new,
        "changed": done.issues.changed,
        "unchanged": done.issues.unchanged,
        "labels": done.labels,
        "label_acts": done.acts,
        "forgotten": done.forgotten,
        "note": done.note,
    }


def _swept_as_json(swept: "Reconciled") -> dict[str, Any]:
    return {
        "deliveries_taken_in": swept.recovered.taken_in,
        "deliveries_asked_again": swept.recovered.asked_again,
        "made_up": swept.made_up,
    }


async def _through_github(
    container: "Container", repo: str, progress: "Progress", *, full: bool
) -> "Synced":
    from bot.repositories.syncing import sync as bring_in

    access = container.github()
    try:
        return await bring_in(
            container.store, access, repo, now=container.clock(), full=full, progress=progress
        )
    finally:
        await access.aclose()
