"""`issue-tagger compress`: a small release that says what the active one says."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Repo, Seed
from bot.cli.output import say_json

if TYPE_CHECKING:
    from tagger.distillation.pruning import Pruning


Teacher = Annotated[
    str,
    typer.Option(
        help="Who teaches: chain (all of the active release), best (its best tuned "
        "transformer), or a strategy's name."
    ),
]


def compress(
    repo: Repo,
    *,
    teacher: Teacher = "chain",
    layers: Annotated[
        int | None, typer.Option(min=1, help="Layers of the student; by default all cheap ones.")
    ] = None,
    trials: Annotated[
        int, typer.Option(min=0, help="Training settings tried; 0: the usual ones.")
    ] = 8,
    pruning: Annotated[str, typer.Option(help="none, magnitude or movement.")] = "none",
    sparsity: Annotated[
        float, typer.Option(min=0.0, max=0.99, help="Share of weights that pruning removes.")
    ] = 0.5,
    no_neighbours: Annotated[
        bool,
        typer.Option("--no-neighbours", help="Drop nearest issues as reasons: faster still."),
    ] = False,
    seed: Seed = 0,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Leave the release staged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a small, fast release of the active one; it serves unless it is worse."""
    from bot.cli.learning.training_words import as_json_document, say_retrained
    from bot.learning.compressing import CompressRequest
    from bot.learning.compressing import compress as make_student
    from bot.process.progress import ShownProgress
    from tagger.compression.compressing import CompressionGoal

    removed = _pruning(pruning, sparsity)
    goal = CompressionGoal(teacher, layers, trials, removed, neighbours=not no_neighbours)
    with opened() as container, ShownProgress() as progress:
        studies = container.settings.studies_folder
        request = CompressRequest(repo, goal, studies, seed, promote=not no_promote)
        done = make_student(container.workspace(progress), request)
    if as_json:
        say_json(as_json_document(repo, done))
        return
    say_retrained(done)


def _pruning(kind: str, sparsity: float) -> "Pruning":
    from tagger.distillation.pruning import KINDS, Pruning

    literal = next((each for each in KINDS if each == kind), None)
    if literal is None:
        raise typer.BadParameter(f"--pruning: got {kind!r}, expected one of {', '.join(KINDS)}")
    return Pruning(literal, sparsity)
