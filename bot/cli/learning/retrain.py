"""`issue-tagger retrain`: train a release, gate it, promote it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import Json, Labels, Repo, Seed, Strategies, listed
from bot.cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from bot.learning.retraining import Retrained
    from tagger.releases.release import ServedLabel
    from tagger.runtimes.choice import RuntimeChoice

FAR = 1000
"""Examples beyond which an estimate says no more than that the label is hard to tell."""


def retrain(
    repo: Repo,
    *,
    seed: Seed = 0,
    labels: Labels = None,
    strategies: Strategies = None,
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Leave the release staged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a release; it serves unless it is worse than the active one."""
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
    say_retrained(done)


def as_json_document(repo: str, done: "Retrained") -> dict[str, object]:
    """What came of a training, for --json."""
    return {
        "repository": repo,
        "release": done.manifest.id,
        "promoted": done.promoted,
        "gate": done.gate.to_json(),
        "manifest": done.manifest.as_json(),
    }


def say_retrained(done: "Retrained") -> None:
    """The per-label table of a training, and what became of its release."""
    manifest = done.manifest
    say(f"What each label can do at a target precision of {manifest.target:.2f}:")
    say()
    rows = sorted(manifest.labels, key=lambda row: (-row.examples, row.name))
    say_table(
        ("label", "examples", "served by", "cut", "precision", "at least", ""),
        ([*_figures(row), _outlook(row)] for row in rows),
        right=" > >>>",
    )
    say()
    if manifest.runtime is not None:
        say(_runtime(manifest.runtime))
    for note in manifest.notes:
        say(f"note: {note}")
    verdict = "serves now" if done.promoted else "does not serve"
    say(f"release {manifest.id} {verdict}: {done.gate.reason}")


def _runtime(choice: "RuntimeChoice") -> str:
    """What the release computes with, and what spoke for it."""
    if choice.how == "set":
        return f"runtime: {choice.name}, as set"
    ours, exact = choice.measured[choice.name], choice.measured["torch"]
    f1_note = "" if ours.f1 is None else f", F1 of neighbours {ours.f1:.3f} ({exact.f1:.3f})"
    return (
        f"runtime: {choice.name}, {ours.milliseconds:.1f} ms to encode an issue "
        f"(torch {exact.milliseconds:.1f} ms){f1_note}, as measured on {choice.n_issues} issues"
    )


def _figures(row: "ServedLabel") -> list[object]:
    return [
        row.name,
        row.examples,
        row.served_by,
        _decimal(row.cut),
        _decimal(row.precision),
        _decimal(row.bound),
    ]


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _outlook(row: "ServedLabel") -> str:
    """What a maintainer can expect of a label."""
    if row.missing is None:
        return "can be applied"
    if row.missing > FAR:
        return f"suggestions only, hard to tell from the text: over {FAR} more examples needed"
    return f"suggestions only, about {row.missing} more examples needed"
