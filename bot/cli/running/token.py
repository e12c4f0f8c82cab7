"""`issue-tagger token`: lets a script use the API in one repository; shown once."""

from typing import Annotated, Literal

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json, say_table, say_verbatim, tell


def token(
    repo: Repo,
    *,
    name: Annotated[str, typer.Option(help="What it is for; decisions are kept under it.")] = "",
    role: Annotated[
        Literal["triage", "admin"],
        typer.Option(help="triage sees and decides; admin trains, promotes, rolls back as well."),
    ] = "triage",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is valid.")] = 90,
    revoke: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="Let this one open nothing any more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token for scripts that use /api/v1; without --name, list those that there are."""
    from datetime import timedelta

    from bot.signin.script_tokens import issue

    with opened() as container:
        store, now = container.store, container.clock()
        if revoke is not None:
            with store.begin() as work:
                gone = work.tokens.revoke(work.repositories.get(repo).id, revoke)
            say(f"token {revoke} of {repo} opens nothing any more" if gone else "there is none")
            return
        if not name:
            with store.read() as work:
                tokens = work.tokens.list(work.repositories.get(repo).id)
            say_table(
                ("id", "name", "role", "valid until"),
                [(each.id, each.name, each.role, f"{each.expires_at:%Y-%m-%d}") for each in tokens],
            )
            return
        text, stored = issue(store, repo, name, role, now, timedelta(days=days))
    if as_json:
        say_json({"token": text, "id": stored.id, "expires_at": stored.expires_at.isoformat()})
        return
    say_verbatim(text)
    tell(f"It is shown this once, opens {repo} as {role}, and ends {stored.expires_at:%Y-%m-%d}.")
