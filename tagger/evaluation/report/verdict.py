"""The report's first chapter: the verdict, a table of labels, and the configuration to copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.evaluation.report.document import changes
from tagger.evaluation.report.outlook import verdict_of
from tagger.evaluation.report.tables import ReportTable, TableCell
from tagger.evaluation.report.view import CHAIN, Figure, Section
from tagger.monitoring.verdict import (
    configuration,
    enumerated,
    missing_in_words,
)
from tagger.monitoring.verdict import sentences as verdict_sentences

if TYPE_CHECKING:
    from tagger.evaluation.report.view import View
    from tagger.monitoring.verdict import LabelOutlook, ReleaseVerdict
    from tagger.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Tile:
    """One number with what it means."""

    value: str
    meaning: str


def tiles(view: View) -> list[Tile]:
    """The numbers to see first."""
    verdict = verdict_of(view)
    numbers = []
    if _has_verdict(view):
        switched_on = len(verdict.names("apply"))
        numbers = [Tile(f"{switched_on} of {len(verdict.labels)}", "labels to switch on")]
    if verdict.wrong is not None and verdict.wrong_at_most is not None:
        numbers += [
            Tile(f"{verdict.issues_labelled or 0:.0%}", "of new issues get a label"),
            Tile(
                f"{verdict.wrong:.0%}",
                f"of the labels set are wrong; with 90 % confidence at most "
                f"{verdict.wrong_at_most:.0%}",
            ),
        ]
    seeds = len(view.evaluation.splits)
    tests = sorted({len(part.test) for part in view.evaluation.splits})
    n_tests = " to ".join(f"{size:,}" for size in dict.fromkeys((tests[0], tests[-1])))
    drawn = f", drawn anew {seeds} times" if seeds > 1 else ""
    meaning = f"issues to test on, which nothing had learned from{drawn}"
    return [*numbers, Tile(n_tests, meaning)]


def sentences(view: View) -> list[str]:
    """What to switch on, how often it errs, what to label next, what changed since the last run."""
    verdict = verdict_of(view)
    if not _has_verdict(view):
        return [
            "No verdict: this run did not score the chain, the mix of all strategies that the bot "
            f"labels with; the best of what it scored is {view.best.strategy}. "
            f"issue-tagger evaluate {view.extras.repository} without --strategies scores it too.",
            *_moved(view),
        ]
    return [*verdict_sentences(verdict), *_moved(view)]


def _has_verdict(view: View) -> bool:
    return view.extras.release is not None or CHAIN in view.evaluation.strategies


def first_chapter(view: View) -> Section:
    """One table a label, what it means, and the file to copy; nothing where there is no verdict."""
    if not _has_verdict(view):
        return Section("verdict", "What to switch on", "This run cannot say; see above.", ())
    verdict = verdict_of(view)
    lead = (
        f"What the release that serves, {view.extras.release['id']}, can promise, as measured on "
        "issues that it had not learned from when it scored them. What this evaluation measured "
        "on its own test issues is under “Label by label”."
        if view.extras.release is not None
        else f"Learned from {view.true_sizes[view.last]:,} labelled issues and tried on others, by "
        "the thresholds that the bot uses. A range holds with 90 % confidence at each of its ends."
    )
    figures = (
        Figure("What each label can do", _off_note(verdict), table=_table(verdict), wide=True),
        Figure(
            "The configuration to copy",
            "As .github/issue-tagger.yml. With “mode: shadow” and nothing under “labels:” the bot "
            "only watches.",
            code=configuration(verdict),
            wide=True,
        ),
    )
    return Section("verdict", "What to switch on", lead, figures)


def _off_note(verdict: ReleaseVerdict) -> str:
    off = verdict.names("off")
    if not off:
        return (
            "Examples missing: an estimate of how many more it takes until that precision is kept."
        )
    depend = "depends" if len(off) == 1 else "depend"
    return f"{enumerated(off)} {depend} on more than the text: more examples would hardly help."


def _table(verdict: ReleaseVerdict) -> ReportTable:
    heads = [
        "label",
        "mode to set",
        "examples",
        "can be promised",
        "right per 100 set",
        "found per 100",
        "set from probability",
        "examples missing",
    ]
    return ReportTable.of(heads, [_row(verdict.target, label) for label in verdict.labels])


def _row(target: float, label: LabelOutlook) -> list[object]:
    promised = label.mode == "apply"
    return [
        label.name,
        TableCell(label.mode, best=promised),
        label.examples,
        f"{100 * target:.0f} of 100 right" if promised else "nothing yet",
        _share(label.precision, label.low, label.high),
        _share(label.coverage),
        _threshold(label.threshold),
        missing_in_words(label),
    ]


def _share(value: float | None, low: float | None = None, high: float | None = None) -> TableCell:
    if value is None:
        return TableCell("-", number=True)
    ends = "" if low is None else f" (at least {100 * low:.0f})"
    if low is not None and high is not None:
        ends = f" ({100 * low:.0f} to {100 * high:.0f})"
    return TableCell(f"{100 * value:.0f}{ends}", number=True)


def _threshold(value: float | None) -> TableCell:
    return TableCell("-" if value is None else f"{value:.2f}", number=True)


def leaders(view: View) -> str:
    """Which strategy is best from how many labelled issues on."""
    runs: list[tuple[str, list[str]]] = []
    for name in view.slices:
        best = view.figures.best(name)
        if best is None:
            continue
        if runs and runs[-1][0] == best.strategy:
            runs[-1][1].append(name)
        else:
            runs.append((best.strategy, [name]))
    sizes = {name: f"{view.true_sizes[name]:,}" for name in view.slices}
    ranges = [
        f"{strategy} at {sizes[names[0]]}" + (f" to {sizes[names[-1]]}" if len(names) > 1 else "")
        for strategy, names in runs
    ]
    best = view.best
    return (
        f"Best by the mean of micro and macro F1: {', then '.join(ranges)} labelled issues. "
        f"{best.strategy} ends at a micro F1 of {_range(best.micro_f1)} and a macro F1 of "
        f"{_range(best.macro_f1)}."
    )


def _moved(view: View) -> list[str]:
    moves = [
        change
        for change in changes(view.figures, view.extras.previous)
        if (change["strategy"], change["slice"]) == (view.best.strategy, view.last)
    ]
    return [
        f"Since the last run {move['strategy']} moved by {move['micro_f1']:+.3f} micro F1"
        f"{_beyond(move['micro_f1_beyond'])} and by {move['macro_f1']:+.3f} macro F1"
        f"{_beyond(move['macro_f1_beyond'])}."
        for move in moves
    ]


def _beyond(beyond: bool) -> str:
    return " (beyond the last run's interval)" if beyond else ""


def _range(figure: Interval) -> str:
    return f"{figure.value:.3f} (95 % between {figure.low:.3f} and {figure.high:.3f})"
