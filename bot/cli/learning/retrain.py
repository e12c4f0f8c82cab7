"""`issue-tagger retrain`: train a release, gate it, promote it."""

from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Labels, Repo, Seed, Strategies, listed
from bot.cli.output import say_json


def retrain(
    repo: Repo,
    *,
    seed: Seed = 0,
    labels: Labels = None,
    strategies: Strategies = None,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Leave the release staged.")
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="With the strategies and the runtime behind it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a release; it serves unless it is worse than the active one."""
    from bot.cli.learning.training_words import as_json_document, say_retrained
    from bot.learning.retraining import RetrainRequest
    from bot.learning.retraining import retrain as train
    from bot.learning.training_data import check_labels
    from bot.process.progress import ShownProgress

    request = RetrainRequest(
        repo, seed, listed(labels) or None, listed(strategies) or None, promote=not no_promote
    )
    with opened() as container, ShownProgress() as progress:
        check_labels(container.store, repo, request.labels)
        done = train(container.workspace(progress), request)
    if as_json:
        say_json(as_json_document(repo, done))
        return
    say_retrained(done, details=details)
