"""How good: learning curves, labels over slices, further figures and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.report.charts import Series, dot_plot, heat_map, line_chart
from tagger.evaluation.report.outlook import said_by_the_bot
from tagger.evaluation.report.svg import Axis, even_ticks
from tagger.evaluation.report.tables import ReportTable, TableCell
from tagger.evaluation.report.verdict import leaders
from tagger.evaluation.report.view import CHAIN, Figure, Section, View
from tagger.statistics.metrics import macro_f1, micro_f1

if TYPE_CHECKING:
    from tagger.evaluation.figures import Summary
    from tagger.statistics.bootstrap import Interval


ZERO_SHOT = "zero-shot"

TOP = (1, 2, 3)
"""Numbers of likeliest labels that are compared with thresholds."""


def curves(view: View) -> Section:
    """Micro and macro F1 of every strategy over the slices."""
    lead = (
        f"{leaders(view)} How well each strategy labels issues it has never seen, after learning "
        "from so many labelled ones. The bands are 95 % intervals over seeds and issues; the axis "
        "of labelled issues is logarithmic."
    )
    figures = (
        _curve(view, "Micro F1", "every label of every issue counts once", "micro_f1"),
        _curve(view, "Macro F1", "every label counts the same, however rare", "macro_f1"),
    )
    return Section("curves", "Learning curves", lead, figures, curious=True)


def _curve(view: View, title: str, meaning: str, metric: str) -> Figure:
    lines = [_series(view, name, metric) for name in view.evaluation.strategies]
    leading = [line for line in lines if line.name in view.leading]
    top = max((high for line in lines for _, high in line.band), default=1.0)
    x, y, label = _sizes(view), _up_to(top, title), f"{title} over labelled issues"
    return Figure(
        title,
        f"{title}: {meaning}.",
        line_chart(label, leading, x, y),
        _curve_table(view, metric),
        view.legend(view.leading),
        more=line_chart(f"{label}, every strategy", lines, x, y) if leading != lines else None,
        more_legend=view.legend(),
    )


def _series(view: View, strategy: str, metric: str) -> Series:
    summaries = view.of_strategy(strategy)
    intervals: list[Interval] = [getattr(summary, metric) for summary in summaries]
    places = [_place(view, summary.slice) for summary in summaries]
    return Series(
        strategy,
        view.snapshot(strategy),
        tuple((x, interval.value) for x, interval in zip(places, intervals, strict=True)),
        tuple((interval.low, interval.high) for interval in intervals),
        strong=strategy == CHAIN,
    )


def _place(view: View, slice_name: str) -> float:
    """The true size; no issue at all stands where half of the smallest slice would."""
    sizes = [size for size in view.true_sizes.values() if size]
    return view.true_sizes[slice_name] or max(min(sizes, default=2) / 2, 0.5)


def _sizes(view: View) -> Axis:
    """The logarithmic axis of labelled issues, ticks at the slices that leave room for them."""
    places = [(_place(view, name), f"{view.true_sizes[name]:,}") for name in view.slices]
    low, high = places[0][0] / 1.15, max(places[-1][0], places[0][0] * 2) * 1.1
    ticks = [places[-1]]
    for place in reversed(places[:-1]):
        if np.log(ticks[-1][0] / place[0]) > 0.07 * np.log(high / low):
            ticks.append(place)
    return Axis(low, high, tuple(reversed(ticks)), "labelled issues", log=True)


def _up_to(top: float, title: str) -> Axis:
    high = min(1.0, np.ceil(top * 10 + 0.2) / 10)
    return Axis(0, high, even_ticks(0, high, 0.1 if high <= 0.6 else 0.2), title)


def _curve_table(view: View, metric: str) -> ReportTable:
    heads = ["strategy", *(slice_head(view, name) for name in view.slices)]
    by_key = {
        (summary.strategy, summary.slice): getattr(summary, metric)
        for summary in view.figures.summary
    }
    best = {
        name: max(value.value for (_, piece), value in by_key.items() if piece == name)
        for name in view.slices
    }
    rows = [
        [
            strategy,
            *(_with_interval(by_key.get((strategy, name)), best[name]) for name in view.slices),
        ]
        for strategy in view.evaluation.strategies
    ]
    return ReportTable.of(heads, rows)


def slice_head(view: View, slice_name: str) -> str:
    """A slice's name, with the true size beside it where that is another."""
    size = view.true_sizes[slice_name]
    return slice_name if slice_name == str(size) else f"{slice_name} ({size:,})"


def _with_interval(interval: Interval | None, best: float) -> TableCell:
    if interval is None:
        return TableCell("-", number=True)
    words = f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
    return TableCell(words, number=True, best=interval.value == best)


def labels(view: View) -> Section:
    """What the bot would say of each label, with the thresholds that it uses."""
    lead = (
        "How often the bot would be right with each label, and how many of its issues it would "
        "find: set where that can be promised, suggested elsewhere."
    )
    return Section("labels", "Label by label", lead, (_profile(view),))


def by_strategy(view: View) -> Section:
    """Which strategy serves which label from how many examples."""
    lead = (
        "Which strategy serves which label best, and from how many labelled issues. A strong "
        "colour is a label that works; a faint one needs more examples, or a person."
    )
    figures = (_served(view), *_most_likely(view))
    return Section("strategies", "Strategies and labels", lead, figures, curious=True)


def _served(view: View) -> Figure:
    best = [
        [_best_for(view, label, name) for name in view.slices] for label in range(len(view.names))
    ]
    shade = np.array([[value for value, _ in row] for row in best])
    words = [[f"{value:.2f}" for value, _ in row] for row in best]
    strategies = [[name for _, name in row] for row in best]
    order = np.argsort(-view.evaluation.data.positives, kind="stable")
    columns = [slice_head(view, name) for name in view.slices]
    drawn = heat_map(
        "Best F1 of each label on each slice",
        [view.names[row] for row in order],
        columns,
        shade[order],
        [words[row] for row in order],
        second=[strategies[row] for row in order],
        titles=("labelled issues", ""),
    )
    rows = [
        [
            view.names[row],
            int(view.evaluation.data.positives[row]),
            *(f"{words[row][n]} {strategies[row][n]}" for n in range(len(columns))),
        ]
        for row in order
    ]
    return Figure(
        "Best strategy for each label",
        "F1 of the best strategy and its name; labels from common to rare.",
        drawn,
        ReportTable.of(["label", "examples in all", *columns], rows),
        wide=True,
    )


def _most_likely(view: View) -> tuple[Figure, ...]:
    """Zero-shot by thresholds beside its k likeliest labels, as the chapter compares the two."""
    pooled = view.pooled(ZERO_SHOT, view.last) if ZERO_SHOT in view.evaluation.strategies else None
    if pooled is None:
        return ()
    ranks = np.argsort(np.argsort(-pooled.scores, axis=1, kind="stable"), axis=1)
    ways = {"thresholds": pooled.decided}
    ways |= {f"the {k} likeliest" if k > 1 else "the likeliest": ranks < k for k in TOP}
    rows = [
        [way, micro_f1(pooled.truth, decided), macro_f1(pooled.truth, decided)]
        for way, decided in ways.items()
    ]
    return (
        Figure(
            "Zero-shot: thresholds or the likeliest labels",
            "How many labels an issue gets without an example: those above thresholds, or always "
            "the same number; on the test issues of all seeds.",
            table=ReportTable.of(["labels given", "micro F1", "macro F1"], rows),
        ),
    )


def _best_for(view: View, label: int, slice_name: str) -> tuple[float, str]:
    there = [summary for summary in view.figures.summary if summary.slice == slice_name]
    best = max(there, key=lambda summary: float(summary.label_f1[label]))
    return float(best.label_f1[label]), best.strategy


def _profile(view: View) -> Figure:
    profiles = said_by_the_bot(view)
    order = np.argsort(-view.evaluation.data.positives, kind="stable")
    by_rank = [profiles[n] for n in order]
    names = [profile.name for profile in by_rank]
    marks = [
        ("precision", 2, [profile.precision for profile in by_rank]),
        ("recall", 1, [profile.recall for profile in by_rank]),
    ]
    rows = [[p.name, p.how, p.precision, p.recall, p.times, p.issues] for p in by_rank]
    label = "Precision and recall of each label"
    heads = ["label", "how", "precision", "recall", "times", "test issues"]
    return Figure(
        "Precision and recall of what the bot would say",
        f"With {view.true_sizes[view.last]:,} labelled issues, on the test issues of all seeds. "
        "Precision: the share of right ones; recall: the share of the label's issues found.",
        dot_plot(label, names, marks, "precision, recall"),
        ReportTable.of(heads, rows),
        tuple((what, snapshot) for what, snapshot, _ in marks),
        wide=True,
        points=True,
        narrow=dot_plot(f"{label}, narrow", names, marks, "precision, recall", narrow=True),
    )


def cost(view: View) -> Section:
    """Further figures and what each strategy costs, on the largest slice."""
    heads = [
        "strategy",
        "exact sets",
        "ranking precision",
        "average precision",
        "ECE",
        "spread of micro F1",
        "spread of macro F1",
        "training, s",
        "prediction, ms an issue",
        "peak memory, MB",
    ]
    rows = [_costs(summary) for summary in view.figures.summary if summary.slice == view.last]
    lead = (
        "On the largest slice, mean of the seeds. Exact sets: issues whose labels are all right. "
        "Ranking precision: how purely true labels lead the ranking. Spread: standard deviation "
        "over the seeds. Vectors of texts come from the cache, so prediction does not count their "
        "encoding; memory is that of the whole process."
    )
    table = Figure("Further figures and cost", "", table=ReportTable.of(heads, rows), wide=True)
    return Section("cost", "Further figures, time and memory", lead, (table,), curious=True)


def _costs(summary: Summary) -> list[object]:
    return [
        summary.strategy,
        summary.mean(lambda row: row.subset_accuracy),
        summary.mean(lambda row: row.ranking_precision),
        summary.mean(lambda row: row.average_precision),
        summary.mean(lambda row: row.calibration_error),
        summary.micro_spread,
        summary.macro_spread,
        TableCell(f"{summary.mean(lambda row: row.fit_seconds):.1f}", number=True),
        TableCell(f"{summary.mean(lambda row: row.predict_ms_per_issue):.2f}", number=True),
        TableCell(f"{summary.mean(lambda row: row.peak_memory_mb):,.0f}", number=True),
    ]
