"""`issue-tagger forget`: what is older than the settings keep; or all of a repository or issue."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, repository_name
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.erasure.issue_erasing import Erased

MAX_NUMBER = 2**63 - 1


def forget(
    *,
    repository: Annotated[
        str | None,
        typer.Option(
            "--repository",
            "--repo",
            metavar="REPO",
            callback=repository_name,
            help="Erase all of this repository, as OWNER/NAME.",
        ),
    ] = None,
    issue: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_NUMBER, help="Of the repository only this issue."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking first.")] = False,
    as_json: Json = False,
) -> None:
    """Drop what is older than the settings keep; or erase all of a repository or issue."""
    if repository is not None:
        _erase(repository, issue, yes=yes, as_json=as_json)
    elif issue is not None:
        raise typer.BadParameter("--issue needs --repository OWNER/NAME")
    else:
        _retain(as_json=as_json)


def _retain(*, as_json: bool) -> None:
    from dataclasses import asdict

    from bot.erasure.retention import forget_old

    with opened() as container:
        forgotten = forget_old(container)
        settings = container.settings
    if as_json:
        say_json(asdict(forgotten))
        return
    say(
        f"{forgotten.payloads} payloads older than {settings.keep_payloads_days} days and "
        f"{forgotten.deliveries} deliveries older than {settings.keep_deliveries_days} days "
        f"dropped; {forgotten.repositories} repositories left more than "
        f"{settings.keep_left_days} days ago erased"
    )


def _erase(repository: str, issue: int | None, *, yes: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from bot.erasure.forgetting import forget_issue, forget_repository
    from bot.process.progress import ShownProgress

    what = repository if issue is None else f"{repository}#{issue}"
    _make_sure(what, yes=yes)
    with opened() as container, ShownProgress() as progress:
        if issue is None:
            erased = forget_repository(container, repository, progress)
        else:
            erased = forget_issue(container, repository, issue, progress)
    if as_json:
        say_json({"repository": repository, "issue": issue, "erased": asdict(erased)})
        return
    say(f"{what} erased: {_counted(erased)}")
    if issue is None:
        tell("while the App is installed there, the next webhook makes it known again")


def _make_sure(what: str, *, yes: bool) -> None:
    """:raises CommandRefused: nobody is there to be asked, and --yes was not given."""
    import sys

    from bot.errors import CommandRefused

    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandRefused(f"all of {what} would be erased for good; say --yes to have it done")
    typer.confirm(f"Erase all of {what}? It cannot be brought back", abort=True, err=True)


def _counted(erased: "Erased") -> str:
    from dataclasses import asdict

    return ", ".join(f"{number} {name}" for name, number in asdict(erased).items() if number) or (
        "nothing was left of it"
    )
