"""`issue-tagger action`: one command within a job of GitHub Actions; `action.yml` calls it."""

from typing import Annotated, Literal

import typer

from bot.cli.opening import opened
from bot.cli.options import Strategies, listed
from bot.cli.output import say

Command = Literal["tag", "retrain", "report", "backfill"]


def action(
    command: Annotated[Command, typer.Argument(help="What the job is for.")],
    *,
    strategies: Strategies = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="backfill: only so many issues, the newest.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="backfill: write; without it nothing is.")
    ] = False,
    in_issue: Annotated[
        bool, typer.Option("--in-issue", help="report: also into one issue, edited in place.")
    ] = False,
    login: Annotated[
        str | None, typer.Option(help="Whom the token belongs to; by itself the job's own bot.")
    ] = None,
) -> None:
    """Do what a workflow asks for, and say in its summary what was done."""
    import asyncio

    from bot.actions import running
    from bot.actions.job import Job
    from bot.process.progress import ShownProgress
    from bot.process.settings import ActionsEnvironment

    job = Job(ActionsEnvironment())
    _ = job.repository  # refused at once where this is no job
    members = listed(strategies) or None
    with opened() as container, ShownProgress() as progress:
        container.own_login = container.token_login = login or running.LOGIN
        match command:
            case "tag":
                doing = running.tag(container, job, progress)
            case "retrain":
                doing = running.train(container, job, progress, members)
            case "report":
                doing = running.take_stock(container, job, progress, in_issue=in_issue)
            case "backfill":
                doing = running.fill(container, job, progress, limit=limit, apply=apply)
        outputs = asyncio.run(doing)
    job.put_out(outputs)
    for name, value in outputs.items():
        say(f"{name}: {value}")
