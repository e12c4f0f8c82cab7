"""What came of a training, in words: the verdict, what each label can do, what serves now."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from bot.cli.output import say, say_table
from bot.process.progress import clock_time
from tagger.monitoring import verdict
from tagger.monitoring.gate import first_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.learning.gating import Retrained
    from bot.learning.retraining import TrainingInterrupted
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
        "stages": [_stage_as_json(stage) for stage in done.stages],
        "to_come": list(done.to_come),
    }


def _stage_as_json(stage: Retrained) -> dict[str, object]:
    return {
        "release": stage.manifest.id,
        "strategies": list(stage.manifest.strategies),
        "promoted": stage.promoted,
        "gate": stage.gate.to_json(),
        "seconds": round(stage.seconds, 1),
    }


def on_the_way(done: Retrained) -> str:
    """A release while its training goes on, in one line."""
    return f"after {clock_time(done.seconds)}: {_what_serves(done, details=False)}"


def what_comes(done: Retrained) -> str:
    """What the training goes on with."""
    return (
        f"Still to come: {listed_plainly(done.to_come)}, each in a further release that serves "
        "unless it is worse. Ctrl-C keeps what is finished."
    )


def left_out(done: Retrained) -> Iterator[str]:
    """Of a training that ended: stages that the gate refused, and what time did not allow."""
    for stage in done.stages:
        if not stage.promoted and stage.manifest != done.manifest:
            names = listed_plainly(stage.manifest.strategies)
            yield f"Release {stage.manifest.id}, of {names}, does not serve: {stage.gate.reason}."
    if done.to_come:
        yield (
            f"Still to come: {listed_plainly(done.to_come)}; finished steps are kept, and "
            f"{again()} goes on from there."
        )


def interrupted(stopped: TrainingInterrupted) -> Iterator[str]:
    """After Ctrl-C: what is kept, and how to go on."""
    yield "issue-tagger: stopped."
    for stage in stopped.stages:
        yield _what_serves(stage, details=False)
    if not stopped.stages:
        yield "No release was finished; what served before serves on."
    n_steps = stopped.n_finished
    if stopped.to_come and n_steps:
        steps = "1 finished step is" if n_steps == 1 else f"{n_steps} finished steps are"
        yield f"Still to come: {listed_plainly(stopped.to_come)}; {steps} kept."
    yield f"{again()} {'goes on from there' if n_steps else 'begins anew'}."


def again() -> str:
    """The command as it was given."""
    return f"`{shlex.join(['issue-tagger', *sys.argv[1:]])}`"


def listed_plainly(names: Sequence[str]) -> str:
    """As in a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


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
