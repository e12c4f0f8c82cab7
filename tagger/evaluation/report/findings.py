"""What to do next: confusions, the hardest issues, what to label, how learning went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.report.charts import Series, heat_map, line_chart
from tagger.evaluation.report.svg import Axis, even_ticks
from tagger.evaluation.report.tables import ReportTable, TableCell
from tagger.evaluation.report.view import Figure, Section, View
from tagger.monitoring.audit import confusions
from tagger.statistics.metrics import ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagger.evaluation.figures import Summary
    from tagger.evaluation.report.extras import NeighbourMap
    from tagger.evaluation.report.view import Pooled
    from tagger.statistics.metrics import Floats
    from tagger.statistics.stratification import Rows

HARDEST = 15
"""Issues in the table of highest loss."""

_SURE = 1e-3
"""Scores are kept this far from 0 and 1 when a loss is taken of them."""


def errors(view: View) -> Section:
    """Where the best strategy goes wrong."""
    pooled = view.pooled(view.best.strategy, view.last)
    lead = (
        f"Where {view.best.strategy}, the best strategy on the largest slice, goes wrong. A "
        "confusion that people would make as well is a question for the label's description."
    )
    figures = () if pooled is None else (_confused(view, pooled), _hardest(view, pooled))
    return Section("errors", "Where it errs", lead, figures)


def _confused(view: View, pooled: Pooled) -> Figure:
    order = np.argsort(-view.evaluation.data.positives, kind="stable")
    counts = confusions(pooled.truth, pooled.decided)[np.ix_(order, order)]
    support = pooled.truth.sum(axis=0)[order]
    share = ratio(counts, np.repeat(support[:, None], len(order), axis=1))
    names = [view.names[n] for n in order]
    shade = np.where(counts > 0, share / max(float(share.max()), 1e-9), np.nan)
    words = [[f"{n}" if n else "" for n in row] for row in counts]
    pairs = sorted(
        (
            (int(counts[i, j]), float(share[i, j]), names[i], names[j])
            for i, j in zip(*np.nonzero(counts), strict=True)
        ),
        reverse=True,
    )
    rows = [
        [true, predicted, n, TableCell(f"{part:.1%}", number=True)]
        for n, part, true, predicted in pairs
    ]
    return Figure(
        "Confusions between labels",
        "Test issues (all seeds) that carry the label on the left, did not get it, and wrongly got "
        "the one on top; the stronger the colour, the larger the share of the label's issues.",
        heat_map(
            "Confusions between labels", names, names, shade, words, titles=("given instead", "")
        ),
        ReportTable.of(["true label", "given instead", "issues", "share"], rows[:40]),
        wide=True,
    )


def losses(pooled: Pooled) -> tuple[Rows, Floats]:
    """Issues' rows and their mean log loss over labels, averaged where seeds share an issue.

    :returns: rows and losses, highest loss first. *Shape of each:* (n_distinct_issues,)
    """
    probabilities = np.clip(pooled.scores, _SURE, 1 - _SURE)
    loss = -np.where(pooled.truth, np.log(probabilities), np.log(1 - probabilities)).mean(axis=1)
    rows, place = np.unique(pooled.rows, return_inverse=True)
    mean = ratio(np.bincount(place, weights=loss), np.bincount(place))
    order = np.argsort(-mean, kind="stable")
    return rows[order], mean[order]


def _hardest(view: View, pooled: Pooled) -> Figure:
    rows, loss = losses(pooled)
    first = {int(row): at for at, row in reversed(list(enumerate(pooled.rows)))}
    data = view.evaluation.data
    lines = []
    for row, value in zip(rows[:HARDEST], loss[:HARDEST], strict=True):
        at = first[int(row)]
        number = data.numbers[int(row)]
        predicted = _named(view, pooled.decided[at], pooled.scores[at])
        true = _named(view, pooled.truth[at], pooled.scores[at])
        lines.append(
            [
                TableCell(f"#{number}", url=view.extras.url(number)),
                data.issues[int(row)].title[:120],
                true,
                predicted,
                float(value),
            ]
        )
    return Figure(
        "The hardest issues",
        "Highest mean log loss, with the scores in brackets. Here a wrong or missing label in the "
        "repository shows as often as a fault of the strategy.",
        table=ReportTable.of(["issue", "title", "labels on GitHub", "labels given", "loss"], lines),
        wide=True,
    )


def _named(view: View, chosen: Floats, scores: Floats) -> str:
    return ", ".join(f"{view.names[n]} ({scores[n]:.2f})" for n in np.flatnonzero(chosen)) or "none"


def next_steps(view: View) -> Section:
    """What to label next: labels whose skill still grows, and issues that would teach most."""
    lead = (
        "Where a person's minute helps most. F1 is one figure for how many of a label's issues are "
        "found and how many of those found are right; the gain is what it rose by when there were "
        "last twice as many labelled issues. The next time usually brings less."
    )
    figures = [_worthwhile(view)]
    if view.extras.next_issues:
        figures.append(_next_issues(view))
    return Section("next", "What to label next", lead, tuple(figures))


def _worthwhile(view: View) -> Figure:
    rows = sorted(_gains(view), key=lambda row: -row[3])
    heads = [
        "label",
        "examples",
        f"F1 with {view.best.strategy}",
        "F1 gained by twice the examples",
    ]
    return Figure(
        "Labels that more examples would help",
        "Most to gain first.",
        table=ReportTable.of(
            heads, [[*row[:3], TableCell(f"{row[3]:+.3f}", number=True)] for row in rows]
        ),
        wide=True,
    )


def _gains(view: View) -> Iterator[tuple[str, int, float, float]]:
    steps = [summary for summary in view.of_strategy(view.best.strategy) if summary.n_train]
    gain = np.zeros(len(view.names)) if len(steps) < 2 else _per_doubling(steps[-2], steps[-1])
    for n, name in enumerate(view.names):
        examples = int(view.evaluation.data.positives[n])
        yield name, examples, float(view.best.label_f1[n]), float(gain[n])


def _per_doubling(before: Summary, now: Summary) -> Floats:
    doublings = max(np.log2(now.n_train / before.n_train), 1e-9)
    return np.asarray((now.label_f1 - before.label_f1) / max(doublings, 1.0))


def _next_issues(view: View) -> Figure:
    rows = [
        [
            TableCell(f"#{next_issue.number}", url=view.extras.url(next_issue.number)),
            next_issue.title[:120],
            next_issue.label,
            float(next_issue.score),
            next_issue.why,
        ]
        for next_issue in view.extras.next_issues
    ]
    return Figure(
        "Issues worth labelling",
        "Unlabelled issues that would teach the most.",
        table=ReportTable.of(["issue", "title", "perhaps", "score", "why"], rows),
        wide=True,
    )


def learning(view: View) -> Section | None:
    """How single strategies learned: the map of knn, loss curves; None where neither is given."""
    figures = []
    if view.extras.neighbours is not None:
        figures.append(_neighbours(view.extras.neighbours))
    if view.extras.losses:
        figures.append(_losses(view))
    lead = "How strategies found their own settings."
    if not figures:
        return None
    return Section("learning", "Inside the strategies", lead, tuple(figures), curious=True)


def _neighbours(neighbour_map: NeighbourMap) -> Figure:
    rows, columns = [f"k = {k}" for k in neighbour_map.k], [f"m = {m}" for m in neighbour_map.m]
    skill = np.asarray(neighbour_map.skill, dtype=float)
    low, high = np.nanmin(skill), np.nanmax(skill)
    shade = (skill - low) / (high - low or 1)
    words = [["" if np.isnan(value) else f"{value:.3f}" for value in row] for row in skill]
    lines = [[name, *row] for name, row in zip(rows, words, strict=True)]
    return Figure(
        "Neighbours and votes of knn",
        "Micro F1 on held-out training issues for k neighbours of which m must carry a label.",
        heat_map("Skill of knn over k and m", rows, columns, shade, words),
        ReportTable.of(["", *columns], lines),
    )


def _losses(view: View) -> Figure:
    curves = view.extras.losses
    lines = [
        Series(
            loss_curve.name,
            n + 1,
            tuple(zip(loss_curve.steps, loss_curve.losses, strict=True)),
            marks=False,
        )
        for n, loss_curve in enumerate(curves)
    ]
    top = max(loss for curve in curves for loss in curve.losses)
    last = max(step for curve in curves for step in curve.steps) or 1
    step = 10.0 ** np.floor(np.log10(last))
    step = step / 5 if last / step < 2 else step
    x = Axis(0, last, even_ticks(0, last, step, "{:,.6g}"), "steps")
    y = Axis(0, top * 1.05, even_ticks(0, top * 1.05, _round_step(top)), "loss")
    rows = [
        [
            curve.name,
            len(curve.steps),
            float(curve.losses[0]),
            float(min(curve.losses)),
            float(curve.losses[-1]),
        ]
        for curve in curves
    ]
    return Figure(
        "Loss while adapting and tuning",
        "Falling is learning; a held-out curve that turns up again is learning by heart.",
        line_chart("Loss over steps", lines, x, y),
        ReportTable.of(["curve", "points", "first", "lowest", "last"], rows),
        tuple((line.name, line.snapshot) for line in lines),
    )


def _round_step(top: float) -> float:
    step = 10.0 ** np.floor(np.log10(max(top, 1e-9)))
    return float(step / 5 if top / step < 2 else step / 2 if top / step < 4 else step)
