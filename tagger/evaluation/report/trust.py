"""Whether it can be trusted: coverage against precision, calibration, promises kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagger.evaluation.figures import PrecisionKept
from tagger.evaluation.report.charts import UNIT, Series, line_chart
from tagger.evaluation.report.skill import slice_head
from tagger.evaluation.report.svg import Axis
from tagger.evaluation.report.tables import ReportTable
from tagger.evaluation.report.view import CHAIN, Figure, Section, View
from tagger.statistics.metrics import FEWEST, coverage_precision, reliability

if TYPE_CHECKING:
    from markupsafe import Markup

TARGETS = (0.95, 0.9, 0.8)
"""Precisions for which the coverage is told."""


def trust(view: View) -> Section:
    """Coverage against precision, and calibration."""
    lead = (
        "What can be promised: how many of the right labels are set when only sure ones are, and "
        "whether a score of 0.8 comes true in 8 of 10 cases."
    )
    figures = [_coverage(view), _calibration(view)]
    promised = _promised(view)
    if promised.rows:
        figures.append(
            Figure(
                "Promises kept",
                "Labels that were applied under the promise of precision, on every slice: "
                "precision is the share of right ones among them, coverage the share of all true "
                "labels that were set, mean of the seeds.",
                table=promised,
                wide=True,
            )
        )
    foreign = _out_of_scope(view)
    if foreign.rows:
        figures.append(
            Figure(
                "Issues of another repository",
                "None of these labels can be right there: how many were given to ten such issues, "
                "and how many of those got none, mean of the seeds; beside it the share of this "
                "repository's true labels that the same thresholds find. Labels set are those "
                "under the promise of precision.",
                table=foreign,
                wide=True,
            )
        )
    return Section("trust", "Can it be trusted?", lead, tuple(figures))


def _out_of_scope(view: View) -> ReportTable:
    rows = []
    for summary in view.figures.summary:
        foreign = [row.foreign for row in summary.rows if row.foreign is not None]
        if not foreign:
            continue
        n_issues = sum(each.issues for each in foreign)
        applied = [each.applied for each in foreign if each.applied is not None]
        promised = [row.promise.coverage for row in summary.rows if row.promise is not None]
        rows.append(
            [
                summary.strategy,
                slice_head(view, summary.slice),
                10 * sum(applied) / n_issues if applied else None,
                10 * sum(each.decided for each in foreign) / n_issues,
                sum(each.silent for each in foreign) / n_issues,
                sum(promised) / len(promised) if promised else None,
            ]
        )
    heads = ["labels set on ten", "labels given on ten", "silent", "coverage at home"]
    return ReportTable.of(["strategy", "labelled issues", *heads], rows)


def _coverage(view: View) -> Figure:
    lines, rows = [], []
    for strategy in view.evaluation.strategies:
        pooled = view.pooled(strategy, view.last)
        if pooled is None:
            continue
        curve = coverage_precision(pooled.truth, pooled.scores)
        points = tuple(zip(curve.coverage, curve.precision, strict=True))
        lines.append(
            Series(strategy, view.snapshot(strategy), points, strong=strategy == CHAIN, marks=False)
        )
        reached = [curve.coverage[curve.precision >= target] for target in TARGETS]
        rows.append([strategy, *(float(curve.max()) if len(curve) else 0.0 for curve in reached)])
    heads = ["strategy", *(f"coverage at precision {target}" for target in TARGETS)]
    x, y = (
        Axis(0, 1, UNIT.ticks, "coverage (share of true labels set)"),
        Axis(0, 1, UNIT.ticks, "precision"),
    )
    return _of_lines(
        view,
        "Coverage against precision",
        "One threshold for all labels, lowered from left to right, on the largest slice. The "
        "higher and the further right, the better.",
        LineFigure(tuple(lines), x, y, ReportTable.of(heads, rows)),
    )


@dataclass(frozen=True)
class LineFigure:
    """Lines of all strategies, axes and the numbers."""

    lines: tuple[Series, ...]
    x: Axis
    y: Axis
    table: ReportTable
    diagonal: bool = False

    def drawn(self, label: str, lines: tuple[Series, ...]) -> Markup:
        return line_chart(label, lines, self.x, self.y, diagonal=self.diagonal)


def _of_lines(view: View, title: str, caption: str, figure: LineFigure) -> Figure:
    """The leading strategies, and the rest on demand."""
    leading = tuple(line for line in figure.lines if line.name in view.leading)
    every = figure.drawn(f"{title}, every strategy", figure.lines)
    return Figure(
        title,
        caption,
        figure.drawn(title, leading),
        figure.table,
        tuple((line.name, line.snapshot) for line in leading),
        more=every if leading != figure.lines else None,
        more_legend=tuple((line.name, line.snapshot) for line in figure.lines),
    )


def _calibration(view: View) -> Figure:
    lines, rows = [], []
    for strategy in view.evaluation.strategies:
        pooled = view.pooled(strategy, view.last)
        if pooled is None:
            continue
        curve = reliability(pooled.truth, pooled.scores)
        bins = zip(curve.said, curve.came_true, curve.count, strict=True)
        points = tuple((predicted, true) for predicted, true, count in bins if count >= FEWEST)
        lines.append(Series(strategy, view.snapshot(strategy), points, strong=strategy == CHAIN))
        rows.append(
            [
                strategy,
                curve.expected_calibration_error,
                "  ".join(f"{predicted:.2f}→{true:.2f}" for predicted, true in points),
            ]
        )
    x, y = Axis(0, 1, UNIT.ticks, "score"), Axis(0, 1, UNIT.ticks, "share that came true")
    table = ReportTable.of(["strategy", "ECE", "score → came true"], rows)
    return _of_lines(
        view,
        "Calibration",
        "A strategy on the dashed line says what will happen; below it, it is too sure. ECE is "
        f"the mean distance. Points stand for at least {FEWEST} scores.",
        LineFigure(tuple(lines), x, y, table, diagonal=True),
    )


def _promised(view: View) -> ReportTable:
    rows = []
    for summary in view.figures.summary:
        pooled = view.pooled(summary.strategy, summary.slice)
        if pooled is None or pooled.applied is None:
            continue
        precision_kept = PrecisionKept.of(pooled.truth, pooled.applied)
        rows.append(
            [
                summary.strategy,
                slice_head(view, summary.slice),
                precision_kept.precision,
                precision_kept.coverage,
                precision_kept.issues,
            ]
        )
    return ReportTable.of(
        ["strategy", "labelled issues", "precision", "coverage", "issues labelled"], rows
    )
