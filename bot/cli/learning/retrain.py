"""`issue-tagger retrain`: train a release, gate it, promote it; a cheap one first."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Labels, Members, Repo, Seed, Target, Within, duration, listed
from bot.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from bot.learning.gating import Retrained

INTERRUPTED = 130


def retrain(
    repo: Repo,
    *,
    seed: Seed = 0,
    target: Target = "issues",
    labels: Labels = None,
    members: Members = None,
    within: Within = None,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough", help="Tune every layer, longer: better labels for ten times the time."
        ),
    ] = False,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Leave the release staged.")
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="With the strategies and the runtime behind it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a release; it serves unless it is worse than the active one.

    What is cheap to learn serves first; each dear strategy makes a further release.
    """
    from bot.cli.learning import training_words as words
    from bot.learning.retraining import RetrainRequest, TrainingInterrupted
    from bot.learning.retraining import retrain as train
    from bot.learning.training_data import check_labels
    from bot.process.progress import ShownProgress

    request = RetrainRequest(
        repo,
        seed,
        listed(labels) or None,
        listed(members) or None,
        promote=not no_promote,
        within=duration(within) if within else None,
        thorough=thorough,
        target=target,
    )

    def released(done: "Retrained") -> None:
        """One on the way: people see its table at once, scripts get one document at the end."""
        with progress.paused():
            if as_json:
                tell(words.on_the_way(done))
                return
            words.say_retrained(done, details=details)
            say(words.what_comes(done))
            say()

    progress = ShownProgress()
    try:
        with opened() as container, progress:
            check_labels(container.store, repo, request.labels)
            done = train(container.workspace(progress), request, released)
    except TrainingInterrupted as stopped:
        for sentence in words.interrupted(stopped):
            tell(sentence)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        say_json(words.as_json_document(repo, done))
        return
    words.say_retrained(done, details=details)
    for sentence in words.left_out(done):
        say(sentence)
