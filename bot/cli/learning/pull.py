"""`issue-tagger pull`: a release from a hub of models."""

from dataclasses import asdict
from typing import Annotated

import typer

from bot.cli.learning.push import Model
from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json


def pull(
    repo: Repo,
    model: Model,
    *,
    revision: Annotated[
        str | None,
        typer.Option(metavar="COMMIT", help="A commit, tag or branch; by default the newest."),
    ] = None,
    digest: Annotated[
        str | None, typer.Option(metavar="SHA256", help="The release must have it, else refuse.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch a release from the Hub and stage it; it labels once it is promoted."""
    from bot.process.progress import waiting
    from bot.sharing.hub import ModelHub
    from bot.sharing.pulling import PullRequest
    from bot.sharing.pulling import pull as fetch

    request = PullRequest(repo, model, revision, digest)
    with opened() as container, waiting("fetching the release"):
        pulled = fetch(container.store, container.archive, ModelHub(), request, container.clock())
    if as_json:
        say_json({"repository": repo, "model": model, **asdict(pulled)})
        return
    here = "is staged" if pulled.fresh else "was here already"
    say(
        f"{repo}: release {pulled.release} of {pulled.trained_on} {here}, at commit {pulled.commit}"
    )
    say(f"issue-tagger promote {repo} {pulled.release} lets it label")
