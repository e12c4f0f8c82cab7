"""`issue-tagger rollback`: let the release serve that served before."""

from bot.cli.opening import opened
from bot.cli.options import Repo, Target
from bot.cli.output import say


def rollback(repo: Repo, *, target: Target = "issues") -> None:
    """Go back to the release that served before the present one."""
    from bot.learning.serving_choice import rollback as go_back

    with opened() as container:
        back = go_back(container.store, repo, container.clock(), target=target)
    say(f"{repo}: release {back.id} serves now")
