"""`issue-tagger import`: issues from files of JSON lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, RepoOption
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.repositories.importing import Imported


def import_issues(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="JSON lines in the shape of GitHub's REST issues; plain, .gz or .zst.",
        ),
    ],
    *,
    repo: RepoOption,
    labels: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A JSON array in the shape of REST labels."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad row.")] = False,
    as_json: Json = False,
) -> None:
    """Import issues from files; a second run changes nothing."""
    from datetime import UTC, datetime

    from bot.errors import CommandRefused
    from bot.process.progress import ShownProgress
    from bot.repositories.importing import import_files
    from store.records import UpsertCounts

    with opened() as container, ShownProgress() as progress:
        done = import_files(
            container.store,
            repo,
            files,
            labels_file=labels,
            strict=strict,
            now=datetime.now(UTC),
            progress=progress,
        )
    tell_bad_rows(done)
    if done.bad and done.issues == UpsertCounts():
        raise CommandRefused(
            f"none of the {done.bad} rows is an issue; expected one JSON object a line, as "
            "GET /repos/OWNER/NAME/issues lists them"
        )
    if as_json:
        counts = {name: getattr(done.issues, name) for name in ("new", "changed", "unchanged")}
        say_json({"repository": repo, **counts, "labels": done.labels, "bad_rows": done.bad})
        return
    issues = done.issues
    say(
        f"{repo}: {issues.new} new, {issues.changed} changed, {issues.unchanged} unchanged; "
        f"{done.labels} labels new or changed; {done.bad} bad rows skipped"
    )


def tell_bad_rows(done: "Imported") -> None:
    """Which rows were skipped and why; of very many the first."""
    for bad in done.first_bad:
        tell(f"skipped {bad}")
    if done.bad > len(done.first_bad):
        tell(f"skipped {done.bad - len(done.first_bad)} more bad rows")
