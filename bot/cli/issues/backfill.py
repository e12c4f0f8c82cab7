"""`issue-tagger backfill`: labels for issues that are open already; previewed, or written."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo, Target
from bot.cli.output import plain, say, say_json, say_table, tell

if TYPE_CHECKING:
    from bot.backfilling.backfilling import Backfilled, BackfillRequest, BackfillRow
    from bot.container import Container
    from tagger.domain.strategy import Progress


def backfill(
    repo: Repo,
    *,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
            metavar="D",
            help="Only issues opened on this day or later, as in 2026-01-31 (UTC).",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=10**9, help="Only so many, the newest.")
    ] = None,
    target: Target = "issues",
    apply: Annotated[bool, typer.Option("--apply", help="Write; without it nothing is.")] = False,
    as_json: Json = False,
) -> None:
    """Show which labels open issues would get; with --apply, set and suggest them."""
    import asyncio

    from bot.backfilling.backfilling import BackfillRequest
    from bot.process.progress import ShownProgress

    wanted = BackfillRequest(since.replace(tzinfo=UTC) if since else None, limit, target)
    with opened() as container, ShownProgress() as progress:
        done = asyncio.run(_run(container, repo, wanted, progress, apply=apply))
    if as_json:
        say_json(done.as_json())
        return
    if done.lines:
        say_table(("issue", "set", "suggested", "title"), map(_row, done.lines))
        say()
    say(_summary(done))


async def _run(
    container: "Container",
    repo: str,
    wanted: "BackfillRequest",
    progress: "Progress",
    *,
    apply: bool,
) -> "Backfilled":
    from bot.backfilling.backfilling import backfill as fill
    from bot.backfilling.throttling import Throttled

    context = container.context()
    throttled = Throttled(container.clock, waiting=say_wait)
    try:
        return await fill(
            context, repo, wanted, apply=apply, throttled=throttled, progress=progress
        )
    finally:
        if context.access is not None:
            await context.access.aclose()


def say_wait(until: datetime) -> None:
    """Tell that GitHub's rate limit is reached."""
    tell(f"GitHub's rate limit is reached; going on at {until:%H:%M:%S} UTC")


def _row(line: "BackfillRow") -> tuple[str, str, str, str]:
    planned = line.planned
    applied = [f"{choice.label} {choice.decision.score:.2f}" for choice in planned.to_apply]
    applied += [planned.fallback] if planned.fallback else []
    suggested = [f"{choice.label} {choice.decision.score:.2f}" for choice in planned.to_suggest]
    return f"#{line.number}", ", ".join(applied), ", ".join(suggested), plain(line.title, 60)


def _summary(done: "Backfilled") -> str:
    labels = f"{done.written} labels set, {done.suggested} suggested"
    if done.run_id is None:
        return (
            f"{done.considered} open issues of {done.repository} looked at: with --apply about "
            f"{labels}; nothing was written"
        )
    return (
        f"run {done.run_id}: {done.considered} open issues of {done.repository}, {labels}; "
        f"issue-tagger undo {done.run_id} takes back what nobody touches"
    )
