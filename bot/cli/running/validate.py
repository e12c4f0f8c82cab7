"""`issue-tagger validate`: whether a configuration file can be used, and if not, why."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import Json
from bot.cli.output import say, say_json
from bot.errors import CommandRefused, ConfigurationInvalid


def validate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="An issue-tagger.yml."),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Check a repository's configuration file."""
    from bot.configuration.reading import parse

    try:
        parse(_content(file))
    except ConfigurationInvalid as invalid:
        if not as_json:
            raise ConfigurationInvalid(invalid.problems, str(file)) from None
        problems = [
            {"line": problem.line, "key": problem.key, "message": problem.message}
            for problem in invalid.problems
        ]
        say_json({"file": str(file), "valid": False, "problems": problems})
        raise typer.Exit(1) from None
    if as_json:
        say_json({"file": str(file), "valid": True, "problems": []})
    else:
        say(f"{file} can be used")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandRefused(f"{file} cannot be read: {error.strerror}") from None
