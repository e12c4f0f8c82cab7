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

    from bot.process.progress import waiting
    from tagger.releases.release import Release

    with opened() as container, waiting("checking the release"):
        with container.store.read() as work:
            stored = work.releases.get(work.repositories.get(repo).id, release)
        folder = container.cache.location(stored)
        Release.open(folder, container.resources(tuning=False))  # a damaged one must not serve
        with container.store.begin() as work:
            work.releases.promote(
                stored.repository_id, release, datetime.now(UTC), reason="by hand"
            )
    say(f"{repo}: release {release} serves now")
