"""`issue-tagger preview`: what would be set and suggested on the newest open issues."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import plain, say, say_json, say_table, terminal_width

if TYPE_CHECKING:
    from bot.reviewing.previewing import LabelPreview, PreviewIssue


def preview(
    repo: Repo,
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=200, help="How many open issues.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Show what would be done with the newest open issues at each target; writes nothing."""
    from bot.process.progress import waiting
    from bot.reviewing.previewing import preview as look_ahead

    with opened() as container, waiting("looking ahead"):
        with container.store.read() as work:
            repository = work.repositories.get(repo)
        looked = look_ahead(
            container.store, container.cache, repository, container.clock(), newest=limit
        )
    if as_json:
        say_json(looked.as_json())
        return
    say_preview(looked)


def say_preview(looked: "LabelPreview") -> None:
    """Two tables: the targets, and the issues."""
    say(f"At each target precision, by release {looked.release}:")
    rows = [
        (
            f"{target.precision:.0%}" + (" *" if target.precision == looked.configured else ""),
            f"{target.set:,}", f"{target.suggested:,}", f"{target.right:,}", f"{target.wrong:,}",
        )
        for target in looked.targets
    ]  # fmt: skip
    say_table(("target", "set", "suggested", "right in the past", "wrong"), rows, right=">>>>>")
    say(f"right and wrong: on {looked.past} labelled issues that it never learned from; * is set")
    say()
    width = min(60, max((terminal_width() or 120) - 50, 20))
    say_table(
        ("issue", "title", "labels, and up to which target each would be set"),
        [
            (f"#{issue.number}", plain(issue.title, width), _labels(issue))
            for issue in looked.issues
        ],
    )


def _labels(issue: "PreviewIssue") -> str:
    words = [
        f"{label.name} ({label.set_up_to:.0%})" if label.set_up_to else f"{label.name}?"
        for label in issue.labels
    ]
    return ", ".join(words) or "-"
