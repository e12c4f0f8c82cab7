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
    from datetime import UTC, datetime

    from bot.progress import waiting
    from tagger.release import Release

    with opened() as installation, waiting("checking the release"):
        with installation.store.read() as work:
            stored = work.releases.get(work.repositories.get(repo).id, release)
        folder = installation.shelf.location(stored)
        Release.open(folder, installation.resources(tuning=False))  # a damaged one must not serve
        with installation.store.begin() as work:
            work.releases.promote(
                stored.repository_id, release, datetime.now(UTC), reason="by hand"
            )
    say(f"{repo}: release {release} serves now")
