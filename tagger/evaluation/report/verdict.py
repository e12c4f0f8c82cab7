"""The report in a few sentences and numbers, for those who read no further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.evaluation.report.document import changes

if TYPE_CHECKING:
    from tagger.evaluation.report.view import View
    from tagger.statistics.bootstrap import Interval

WORKS = 0.5
"""F1 from which a label counts as one that works."""


@dataclass(frozen=True)
class Tile:
    """One number with what it means."""

    value: str
    meaning: str


def tiles(view: View) -> list[Tile]:
    """The numbers to see first."""
    best = view.best
    sizes = f"{view.true_sizes[view.last]:,} labelled issues"
    working = int((best.label_f1 >= WORKS).sum())
    tests = sorted({len(part.test) for part in view.evaluation.splits})
    seeds = len(view.evaluation.splits)
    return [
        Tile(best.strategy, f"the best strategy with {sizes}"),
        Tile(_shown(best.micro_f1), f"its micro F1 ({_range(best.micro_f1)})"),
        Tile(_shown(best.macro_f1), f"its macro F1 ({_range(best.macro_f1)})"),
        Tile(f"{working} of {len(view.names)}", f"labels with an F1 of {WORKS} or more"),
        Tile(
            " to ".join(
                f"{size:,}" for size in (tests if len(tests) < 3 else (tests[0], tests[-1]))
            ),
            f"test issues for each of {seeds} seed{'s' if seeds > 1 else ''}",
        ),
    ]


def sentences(view: View) -> list[str]:
    """Who leads from how many issues, and what changed since the last run."""
    return [_leaders(view), *_moved(view)]


def _leaders(view: View) -> str:
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
    leaders = [
        f"{strategy} at {sizes[names[0]]}" + (f" to {sizes[names[-1]]}" if len(names) > 1 else "")
        for strategy, names in runs
    ]
    return f"Best by the mean of micro and macro F1: {', then '.join(leaders)} labelled issues."


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


def _shown(figure: Interval) -> str:
    return f"{figure.value:.3f}"


def _range(figure: Interval) -> str:
    return f"95 % between {figure.low:.3f} and {figure.high:.3f}"
