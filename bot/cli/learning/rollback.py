"""`issue-tagger rollback`: let the release serve that served before."""

from bot.cli.opening import opened
from bot.cli.options import Repo
from bot.cli.output import say


def rollback(repo: Repo) -> None:
    """Go back to the release that served before the present one."""
    from datetime import UTC, datetime

    with opened() as container, container.store.begin() as work:
        repository_id = work.repositories.get(repo).id
        back = work.releases.rollback(repository_id, datetime.now(UTC), reason="by hand")
    say(f"{repo}: release {back.id} serves now")
