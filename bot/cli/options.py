"""Arguments and options that several commands share."""

import csv
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer


def repository_name(value: str | None) -> str | None:
    """A callback: refuses what is not OWNER/NAME."""
    if value is None:
        return None
    from bot.github.models import is_full_name

    if not is_full_name(value):
        raise typer.BadParameter(f"got {value!r}, expected OWNER/NAME")
    return value


def _names(value: str | None) -> str | None:
    try:
        names = listed(value)
    except csv.Error:
        raise typer.BadParameter(
            f"got {value!r}, whose quotes do not pair; a name that holds a comma is written "
            "between double quotes, as in '\"one, two\",three', and a quote in it twice"
        ) from None
    if value is not None and not names:
        raise typer.BadParameter("got no name, expected names separated by commas")
    return value


def listed(value: str | None) -> tuple[str, ...]:
    """The names of a comma-separated option; blanks around them and empty ones are dropped.

    A name that holds a comma stands between double quotes, as in CSV (RFC 4180).

    :raises csv.Error: the quotes do not pair.
    """
    rows = csv.reader([value or ""], skipinitialspace=True, strict=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())


def _strategies(value: str | None) -> str | None:
    """:raises UnknownStrategy: with the nearest right name, before anything is loaded."""
    names = _names(value)
    if names:
        from tagger.strategies import check_known

        check_known(listed(names))
    return names


def _duration(value: str | None) -> str | None:
    if value is not None and duration(value) is None:
        raise typer.BadParameter(f"got {value!r}, expected a time such as 90s, 5m, 1h30m")
    return value


def duration(value: str) -> timedelta | None:
    """Hours, minutes and seconds as in 1h30m, 5m, 90s; None: it is no such time."""
    match = re.fullmatch(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?", value.strip().lower())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


Repo = Annotated[
    str, typer.Argument(metavar="REPO", callback=repository_name, help="Repository, as OWNER/NAME.")
]
RepoOption = Annotated[
    str,
    typer.Option(
        "--repo", metavar="REPO", callback=repository_name, help="Repository, as OWNER/NAME."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Makes chance repeatable.")]
Target = Annotated[
    Literal["issues", "pull_requests", "discussions"],
    typer.Option("--target", help="Issues, pull requests or discussions: each by itself."),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="A,B",
        callback=_names,
        help="Only these labels; one with a comma in quotes: '\"a, b\",c'.",
    ),
]
Strategies = Annotated[
    str | None,
    typer.Option(
        "--strategies", metavar="A,B", callback=_strategies, help="Only these strategies."
    ),
]
Members = Annotated[
    str | None,
    typer.Option(
        "--strategies",
        "--members",
        metavar="A,B",
        callback=_strategies,
        help="Only these strategies.",
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        "--within",
        metavar="TIME",
        callback=_duration,
        help="Go on for so long, as in 5m or 1h30m; what is finished then serves.",
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]
