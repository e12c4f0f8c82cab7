"""What came of a training, in words: the verdict, what each label can do, what serves now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.output import say, say_table
from tagger.monitoring import verdict
from tagger.monitoring.gate import first_release

if TYPE_CHECKING:
    from bot.learning.retraining import Retrained
    from tagger.monitoring.verdict import LabelOutlook, ReleaseVerdict
    from tagger.runtimes.choice import RuntimeChoice

HOW_CHOSEN = {"set": "as set", "measured": "as measured"}


def as_json_document(repo: str, done: Retrained) -> dict[str, object]:
    """What came of a training, for --json."""
    manifest = done.manifest.as_json()
    return {
        "repository": repo,
        "release": done.manifest.id,
        "promoted": done.promoted,
        "gate": done.gate.to_json(),
        "manifest": manifest,
        "verdict": verdict.as_json(verdict.verdict_of_manifest(manifest)),
    }


def say_retrained(done: Retrained, *, details: bool = False) -> None:
    """The verdict, the table of labels, and what became of the release.

    :param details: with the members that decide, and what the runtime was chosen by.
    """
    manifest = done.manifest
    outlook = verdict.verdict_of_manifest(manifest.as_json())
    say_verdict(outlook)
    if details:
        say()
        say_table(
            ("label", "mostly decided by"), ((row.name, row.served_by) for row in manifest.labels)
        )
        if manifest.runtime is not None:
            say()
            say(_runtime(manifest.runtime))
    say()
    for note in manifest.notes:
        say(f"Note: {note}")
    say(_what_serves(done, details=details))


def _what_serves(done: Retrained, *, details: bool) -> str:
    release = f"Release {done.manifest.id}"
    if done.gate == first_release() and done.promoted:
        return f"{release} serves now; it was the first."
    if done.promoted and done.gate.figures and not details:
        return f"{release} serves now: {done.gate.reason.partition(': ')[0]}."
    return f"{release} {'serves now' if done.promoted else 'does not serve'}: {done.gate.reason}."


def say_verdict(outlook: ReleaseVerdict) -> None:
    """The verdict in sentences, then what each label can do whose issues their text tells."""
    for sentence in verdict.sentences(outlook):
        say(sentence)
    say()
    say(f"What each label can do at a target precision of {outlook.target:.2f}:")
    say()
    say_table(
        ("label", "mode", "examples", "from", "precision", "at least", "finds", "examples missing"),
        (_row(label) for label in outlook.labels if label.mode != "off"),
        right="  >>>>>",
    )


def _row(label: LabelOutlook) -> list[object]:
    return [
        label.name,
        label.mode,
        label.examples,
        _decimal(label.threshold),
        _decimal(label.precision),
        _decimal(label.low),
        "-" if label.coverage is None else f"{label.coverage:.0%}",
        verdict.missing_in_words(label),
    ]


def _runtime(choice: RuntimeChoice) -> str:
    """What the release computes with, and what spoke for it."""
    if not choice.measured:
        return f"runtime: {choice.name}, {HOW_CHOSEN[choice.how]}"
    ours, exact = choice.measured[choice.name], choice.measured["torch"]
    f1_note = "" if ours.f1 is None else f", F1 of neighbours {ours.f1:.3f} ({exact.f1:.3f})"
    return (
        f"runtime: {choice.name}, {ours.milliseconds:.1f} ms to encode an issue "
        f"(torch {exact.milliseconds:.1f} ms){f1_note}, as measured on {choice.n_issues} issues"
    )


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
