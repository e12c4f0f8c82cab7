"""`issue-tagger push`: a release to a hub of models."""

from dataclasses import asdict
from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo
from bot.cli.output import say, say_json

Model = Annotated[str, typer.Argument(metavar="OWNER/MODEL", help="Model repository at the hub.")]


def push(
    repo: Repo,
    model: Model,
    *,
    release: Annotated[
        str | None,
        typer.Option(metavar="ID", help="As `releases` lists it; by default the one that labels."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let everyone see the model repository it makes.")
    ] = False,
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="Send titles of issues along.")
    ] = False,
    model_license: Annotated[
        str, typer.Option("--license", metavar="NAME", help="For the card, as the hub names it.")
    ] = "other",
    as_json: Json = False,
) -> None:
    """Send a release to the Hub, with a card and without texts of issues."""
    from bot.process.progress import waiting
    from bot.sharing.hub import ModelHub
    from bot.sharing.pushing import PushRequest
    from bot.sharing.pushing import push as send

    request = PushRequest(repo, model, release, public, with_texts, model_license)
    with opened() as container, waiting("sending the release"):
        pushed = send(container.store, container.archive, ModelHub(), request)
    if as_json:
        say_json({"repository": repo, "model": model, **asdict(pushed)})
        return
    say(f"{repo}: release {pushed.release} is at {pushed.sent.url}")
    say(f"issue-tagger pull {repo} {model} --revision {pushed.sent.commit}")
    say(f"digest {pushed.digest}")
