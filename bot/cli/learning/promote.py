"""`issue-tagger promote`: let a release serve that the gate or a person held back."""

from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Repo
from bot.cli.output import say


def promote(
    repo: Repo,
    release: Annotated[str, typer.Argument(metavar="ID", help="As `releases` lists it.")],
) -> None:
    """Let this release serve."""
    from bot.learning.serving_choice import promote as let_serve
    from bot.process.progress import waiting

    with opened() as container, waiting("checking the release"):
        let_serve(container.store, container.cache, repo, release, container.clock())
    say(f"{repo}: release {release} serves now")
