"""`issue-tagger prior`: measure what is shipped as the chain's prior; for developers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import listed

if TYPE_CHECKING:
    from bot.learning.prior_files import LabelledFiles


def prior(
    repositories: Annotated[
        list[str],
        typer.Argument(
            metavar="ISSUES:LABELS:NAMES...",
            help="Files of issues and of labels, and the names that count, separated by commas.",
        ),
    ],
    members: Annotated[str, typer.Option(help="Strategies to measure, separated by commas.")],
    out: Annotated[Path, typer.Option(help="File to write, as tagger/chain/prior.json.")],
    largest: Annotated[int, typer.Option(help="Issues in the largest training set.")] = 1000,
    share: Annotated[float, typer.Option(help="Share of the usual number of draws.")] = 1.0,
    keep: Annotated[Path, typer.Option(help="Folder for what was measured of each.")] = Path(
        "var/prior"
    ),
    onto: Annotated[
        Path | None,
        typer.Option(help="An earlier such file, of more strategies: for sets with others."),
    ] = None,
) -> None:
    """Measure on labelled repositories how far each strategy can be trusted at which count."""
    import json

    from bot.learning.prior_files import measured_once
    from tagger.chain.prior_measurement import TrainingDraws, moments_of

    draws = TrainingDraws(listed(members), largest, share)
    files = [labelled_files(text) for text in repositories]
    with opened() as container:  # its database keeps the vectors
        resources = container.resources()
        measured = [measured_once(each, draws, resources, keep) for each in files]
    moments = moments_of(draws.members, measured)
    if onto is not None:
        moments = {**json.loads(onto.read_text("utf-8")), "narrower": moments}
    out.write_text(json.dumps(moments) + "\n", encoding="utf-8")


def labelled_files(text: str) -> "LabelledFiles":
    """The files of one repository, from ISSUES:LABELS:NAMES.

    :raises typer.BadParameter: it has fewer parts.
    """
    from bot.learning.prior_files import LabelledFiles

    parts = text.split(":", 2)
    if len(parts) < 3:
        raise typer.BadParameter(f"got {text!r}, expected ISSUES:LABELS:NAMES; NAMES may be empty")
    return LabelledFiles(Path(parts[0]), Path(parts[1]), listed(parts[2]))
