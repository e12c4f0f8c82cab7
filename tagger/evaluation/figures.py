"""Figures of an evaluation: rows for each cell, means over seeds with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.statistics import metrics
from tagger.statistics.bootstrap import (
    N_RESAMPLES,
    Interval,
    interval,
    pooled_interval,
    resample_weights,
    resampled_counts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagger.evaluation.cells import CellResult, OutOfScope
    from tagger.evaluation.runner import Evaluation
    from tagger.statistics.metrics import Decisions, Floats, LabelFigures, Truth


@dataclass(frozen=True)
class PrecisionKept:
    """What came of the labels that were given under a promise of precision.

    :ivar precision: share of right ones among them; None where none was given.
    :ivar coverage: share of all true labels among them.
    :ivar issues: share of issues that got one.
    """

    precision: float | None
    coverage: float
    issues: float

    @classmethod
    def of(cls, truth: Truth, applied: Decisions) -> PrecisionKept:
        """Measure on issues whose labels are known."""
        hit, n_applied = int((truth & applied).sum()), int(applied.sum())
        return cls(
            hit / n_applied if n_applied else None,
            hit / max(int(truth.sum()), 1),
            float(applied.any(axis=1).mean()) if len(applied) else 0.0,
        )


@dataclass(frozen=True)
class CellFigures:
    """One cell's figures, on its seed's test set."""

    strategy: str
    slice: str
    seed: int
    n_train: int
    micro_f1: Interval
    macro_f1: Interval
    labels: tuple[LabelFigures, ...]
    subset_accuracy: float
    ranking_precision: float
    average_precision: float
    calibration_error: float
    promise: PrecisionKept | None
    fit_seconds: float
    predict_ms_per_issue: float
    peak_memory_mb: float
    foreign: OutOfScope | None = None

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """As in `report.json`; what stands there beyond the contract is additional."""
        return {
            "strategy": self.strategy,
            "slice": self.slice,
            "seed": self.seed,
            "n_train": self.n_train,
            "micro_f1": self.micro_f1.value,
            "macro_f1": self.macro_f1.value,
            "per_label": {
                name: {
                    "precision": label.precision,
                    "recall": label.recall,
                    "f1": label.f1,
                    "support": label.support,
                }
                for name, label in zip(names, self.labels, strict=True)
            },
            "fit_seconds": self.fit_seconds,
            "predict_ms_per_issue": self.predict_ms_per_issue,
            "micro_f1_ci": [self.micro_f1.low, self.micro_f1.high],
            "macro_f1_ci": [self.macro_f1.low, self.macro_f1.high],
            "subset_accuracy": self.subset_accuracy,
            "label_ranking_average_precision": self.ranking_precision,
            "average_precision": self.average_precision,
            "expected_calibration_error": self.calibration_error,
            "applied": None if self.promise is None else vars(self.promise),
            "peak_memory_mb": self.peak_memory_mb,
            "out_of_scope": None if self.foreign is None else vars(self.foreign),
        }


@dataclass(frozen=True)
class Summary:
    """One strategy on one slice, over all seeds.

    :ivar n_train: mean true size, rounded.
    :ivar micro_f1, macro_f1: mean over seeds; the interval draws seeds, then issues.
    :ivar micro_spread, macro_spread: standard deviation over seeds, 0 with one seed.
    """

    strategy: str
    slice: str
    n_train: int
    seeds: int
    micro_f1: Interval
    macro_f1: Interval
    micro_spread: float
    macro_spread: float
    label_f1: Floats
    rows: tuple[CellFigures, ...]

    def mean(self, figure: Callable[[CellFigures], float]) -> float:
        """Mean of any row's figure over the seeds."""
        return float(np.mean([figure(row) for row in self.rows]))

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """As in `report.json`, with more beside it."""
        return {
            "strategy": self.strategy,
            "slice": self.slice,
            "n_train": self.n_train,
            "micro_f1": self.micro_f1.value,
            "micro_f1_ci": [self.micro_f1.low, self.micro_f1.high],
            "macro_f1": self.macro_f1.value,
            "macro_f1_ci": [self.macro_f1.low, self.macro_f1.high],
            "seeds": self.seeds,
            "micro_f1_sd": self.micro_spread,
            "macro_f1_sd": self.macro_spread,
            "per_label_f1": dict(zip(names, map(float, self.label_f1), strict=True)),
            "fit_seconds": self.mean(lambda row: row.fit_seconds),
            "predict_ms_per_issue": self.mean(lambda row: row.predict_ms_per_issue),
        }


@dataclass(frozen=True)
class Figures:
    """All rows, in the order of the cells, and the summary over seeds."""

    rows: tuple[CellFigures, ...]
    summary: tuple[Summary, ...]

    def best(self, slice_name: str) -> Summary | None:
        """The strategy with the highest mean of micro and macro F1 at this slice."""
        there = [summary for summary in self.summary if summary.slice == slice_name]
        return max(
            there, key=lambda summary: summary.micro_f1.value + summary.macro_f1.value, default=None
        )


def figures(evaluation: Evaluation, n_resamples: int = N_RESAMPLES) -> Figures:
    """Measure every cell and average over seeds, with bootstrap intervals over issues."""
    measured = [_measure(evaluation, cell, n_resamples) for cell in evaluation.cells]
    ordered = sorted(measured, key=lambda row: _place(evaluation, row[0]))  # sort is stable
    grouped = groupby(ordered, key=lambda row: (row[0].strategy, row[0].slice))
    summary = tuple(_summarise(list(group)) for _, group in grouped)
    return Figures(tuple(row for row, _, _ in measured), summary)


def _place(evaluation: Evaluation, row: CellFigures) -> tuple[int, float]:
    from tagger.evaluation.slices import slice_size

    return evaluation.strategies.index(row.strategy), slice_size(row.slice)


_Measured = tuple[CellFigures, "Floats", "Floats"]
"""A row with its replicates of micro and of macro F1."""


def _measure(evaluation: Evaluation, cell: CellResult, n_resamples: int) -> _Measured:
    truth = evaluation.truth(cell.key.seed)
    weights = resample_weights(len(truth), n_resamples, cell.key.seed)
    drawn = resampled_counts(truth, cell.decided, weights)
    return _row(truth, cell, drawn.micro_f1, drawn.macro_f1), drawn.micro_f1, drawn.macro_f1


def _row(truth: Truth, cell: CellResult, micro: Floats, macro: Floats) -> CellFigures:
    scores = cell.scores.astype(float)
    supported = truth.any(axis=0)
    precision = metrics.average_precision(truth, scores)[supported]
    return CellFigures(
        strategy=cell.key.strategy,
        slice=cell.key.slice,
        seed=cell.key.seed,
        n_train=cell.n_train,
        micro_f1=interval(metrics.micro_f1(truth, cell.decided), micro),
        macro_f1=interval(metrics.macro_f1(truth, cell.decided), macro),
        labels=tuple(metrics.label_figures(truth, cell.decided)),
        subset_accuracy=metrics.subset_accuracy(truth, cell.decided),
        ranking_precision=metrics.label_ranking_average_precision(truth, scores),
        average_precision=float(precision.mean()) if len(precision) else 0.0,
        calibration_error=metrics.reliability(truth, scores).expected_calibration_error,
        promise=None if cell.applied is None else PrecisionKept.of(truth, cell.applied),
        fit_seconds=cell.fit_seconds,
        predict_ms_per_issue=cell.predict_ms_per_issue,
        peak_memory_mb=cell.peak_memory_mb,
        foreign=cell.foreign,
    )


def _summarise(group: list[_Measured]) -> Summary:
    rows = tuple(row for row, _, _ in group)
    micro, macro = [row.micro_f1.value for row in rows], [row.macro_f1.value for row in rows]
    return Summary(
        strategy=rows[0].strategy,
        slice=rows[0].slice,
        n_train=round(float(np.mean([row.n_train for row in rows]))),
        seeds=len(rows),
        micro_f1=pooled_interval(micro, [drawn for _, drawn, _ in group]),
        macro_f1=pooled_interval(macro, [drawn for _, _, drawn in group]),
        micro_spread=float(np.std(micro)),
        macro_spread=float(np.std(macro)),
        label_f1=np.mean([[label.f1 for label in row.labels] for row in rows], axis=0),
        rows=rows,
    )
