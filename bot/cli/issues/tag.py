"""`issue-tagger tag`: predictions for issues; nothing is written to GitHub."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.issues.label_words import LEGEND, say_advice, say_all, say_briefly, say_explained
from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json_of_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.container import Container
    from bot.labelling.tagging import IssueToTag
    from tagger.domain.strategy import Progress

MAX_NUMBER = 2**63 - 1
"""What a database can hold."""


def tag(
    repo: Repo,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="NUMBER", min=1, max=MAX_NUMBER, help="Issues that are stored."),
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Issues from a file, as for `import`."),
    ] = None,
    as_json: Json = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Why: parts of the score, nearest issues.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Every label of the release, with the reasons.")
    ] = False,
) -> None:
    """Say which labels fit, with scores; nothing is written to GitHub."""
    from bot.labelling.stored_issues import stored_issues
    from bot.process.progress import ShownProgress

    if bool(numbers) == (file is not None):
        raise typer.BadParameter("expected issue numbers or --file FILE, one of the two")
    with opened() as container, ShownProgress() as progress:
        stored_issues(container.store, repo, numbers or [])  # before anything heavy loads
        from bot.labelling import tagging
        from tagger.domain.strategy import silent

        active = tagging.active_release(container.store, container.cache, repo)
        policy = tagging.policy(container.store, repo, active.release.names)
        with _questions(container, repo, numbers, file, progress) as (questions, total):
            # on a terminal the answers themselves show how far it has come
            reporter = silent if sys.stdout.isatty() else progress
            answers = tagging.tag(active.release, questions, total, policy, reporter)
            if as_json:
                head = {"repository": repo, "release": active.id}
                say_json_of_many(head, "issues", (answer.as_json() for answer in answers))
                return
            say_one = say_all if every else say_explained if explain else say_briefly
            for answer in answers:
                say_one(answer)
                if (explain or every) and numbers:
                    say_advice(container, repo, answer)
            if explain or every:
                say(LEGEND)


@contextmanager
def _questions(
    container: "Container",
    repo: str,
    numbers: list[int] | None,
    file: Path | None,
    progress: "Progress",
) -> "Iterator[tuple[Iterable[IssueToTag], int]]":
    from bot.labelling import tagging

    if file is None:
        stored = tagging.stored_questions(container.store, repo, numbers or [])
        yield stored, len(stored)
        return
    with tagging.questions_of_file(file, progress) as opened_file:
        yield opened_file
