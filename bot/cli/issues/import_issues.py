"""`issue-tagger import`: issues from the files that people have, whatever shape they are in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, RepoOption
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.repositories.importing import Imported


IssueFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Issues as GitHub's REST API, `gh` or GraphQL give them, GH Archive, webhook "
        "payloads, CSV or Parquet; plain, .gz or .zst.",
    ),
]


def import_issues(
    files: IssueFiles,
    *,
    repo: RepoOption,
    labels: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A JSON array in the shape of REST labels."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=NAME",
            help="A table's column, where its name does not tell what it holds: title=Subject.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad row.")] = False,
    as_json: Json = False,
) -> None:
    """Import issues from files; a second run changes nothing."""
    from datetime import UTC, datetime

    from bot.process.progress import ShownProgress
    from bot.repositories.importing import ImportRequest, import_files
    from store.records import UpsertCounts

    with opened() as container, ShownProgress() as progress:
        request = ImportRequest(files, labels, _columns(column or []), strict)
        done = import_files(
            container.store, repo, request, now=datetime.now(UTC), progress=progress
        )
    tell_bad_rows(done)
    if done.issues == UpsertCounts():
        refuse_nothing(done)
    (_say_json if as_json else _say)(repo, done)


def _say_json(repo: str, done: "Imported") -> None:
    counts = {name: getattr(done.issues, name) for name in ("new", "changed", "unchanged")}
    counts |= {"labels": done.labels, "bad_rows": done.bad}
    say_json({"repository": repo, **counts, "files": [file.as_json() for file in done.files]})


def _say(repo: str, done: "Imported") -> None:
    for file in done.files:
        tell(str(file))
    issues = done.issues
    say(
        f"{repo}: {issues.new} new, {issues.changed} changed, {issues.unchanged} unchanged; "
        f"{done.labels} labels new or changed; {done.bad} bad rows skipped"
    )


def _columns(options: list[str]) -> dict[str, str]:
    """Field → column.

    :raises typer.BadParameter: it is not FIELD=NAME, or there is no such field.
    """
    from bot.exports.table import FIELDS

    columns: dict[str, str] = {}
    for option in options:
        field, sign, name = option.partition("=")
        if not sign or not name or field not in FIELDS:
            fields = ", ".join(FIELDS)
            raise typer.BadParameter(f"got {option!r}, expected FIELD=NAME with one of {fields}")
        columns[FIELDS[field]] = name
    return columns


def refuse_nothing(done: "Imported") -> None:
    """Say why there is not one issue, where there should be some.

    :raises ExportRefused: every row is bad, or of another repository.
    """
    for file in done.files:
        if file.others and not done.bad:
            raise file.of_another()
    if done.bad:
        raise done.files[0].without_issues(done.bad)


def tell_bad_rows(done: "Imported") -> None:
    """Which rows were skipped and why; of very many the first."""
    for bad in done.first_bad:
        tell(f"skipped {bad}")
    if done.bad > len(done.first_bad):
        tell(f"skipped {done.bad - len(done.first_bad)} more bad rows")
