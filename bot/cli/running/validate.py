"""`issue-tagger validate`: whether a configuration file can be used, and what it means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import Json, repository_name
from bot.cli.output import say, say_json, say_table
from bot.errors import CommandRefused, ConfigurationInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.configuration import RepositoryConfiguration


def validate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="An issue-tagger.yml."),
    ],
    *,
    repo: Annotated[
        str | None,
        typer.Option(
            "--repo",
            metavar="REPO",
            callback=repository_name,
            help="Check the names of labels against this repository's, as stored.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a repository's configuration file, and say what it means for each label."""
    text = _content(file)
    names = None if repo is None else _label_names(repo)
    try:
        configuration = _checked(text, names)
    except ConfigurationInvalid as invalid:
        if not as_json:
            raise ConfigurationInvalid(invalid.problems, str(file)) from None
        problems = [
            {"line": problem.line, "key": problem.key, "message": problem.message}
            for problem in invalid.problems
        ]
        say_json({"file": str(file), "valid": False, "problems": problems})
        raise typer.Exit(1) from None
    listed = (
        *(names or configuration.labels),
        *configuration.type_targets,
        *configuration.field_targets,
    )
    rows = list(_effective(configuration, dict.fromkeys(listed)))
    if as_json:
        say_json({"file": str(file), "valid": True, "problems": [], "labels": rows})
        return
    empty = not text.strip()
    say(f"{file} is empty: what holds is the default" if empty else f"{file} can be used")
    say_meaning(configuration, rows, all_labels=names is not None)


def say_meaning(
    configuration: "RepositoryConfiguration",
    rows: "Sequence[dict[str, Any]]",
    *,
    all_labels: bool,
) -> None:
    """The effective mode and precision of each label."""
    if not all_labels:
        say(
            f"mode {configuration.mode.value}, precision {configuration.precision:g} for every "
            "label that the file does not name"
        )
    if rows:
        say()
        say_table(
            ("label", "mode", "precision", ""),
            ((row["name"], row["mode"], f"{row['precision']:g}", row["why"]) for row in rows),
            right="  >",
        )


def _checked(text: bytes, names: "Sequence[str] | None") -> "RepositoryConfiguration":
    from bot.configuration.label_check import unknown_labels
    from bot.configuration.reading import parse

    configuration = parse(text)
    if names is not None and (problems := unknown_labels(text, configuration, names)):
        raise ConfigurationInvalid(problems)
    return configuration


def _effective(
    configuration: "RepositoryConfiguration", names: "Iterable[str]"
) -> "Iterable[dict[str, Any]]":
    for name in names:
        yield {
            "name": name,
            "mode": configuration.mode_for(name).value,
            "precision": configuration.precision_for(name),
            "why": configuration.off_because(name),
        }


def _label_names(repo: str) -> tuple[str, ...]:
    """Of labels that exist, and of those that only issues carry."""
    from bot.cli.opening import opened
    from store.engine.text import name_key

    with opened() as container, container.store.read() as work:
        repository = work.repositories.get(repo)
        names = {name_key(name): name for name in work.issues.label_names(repository.id)}
        names |= {name_key(label.name): label.name for label in work.labels.list(repository.id)}
    if not names:
        raise CommandRefused(f"{repo} has no labels yet; issue-tagger sync {repo} brings them in")
    return tuple(sorted(names.values(), key=str.casefold))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandRefused(f"{file} cannot be read: {error.strerror}") from None
