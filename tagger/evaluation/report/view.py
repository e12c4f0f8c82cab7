"""What all parts of the report look at: the evaluation, its figures and the best strategy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tagger.evaluation.slices import slice_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from tagger.evaluation.cells import CellResult
    from tagger.evaluation.figures import Figures, Summary
    from tagger.evaluation.report.extras import Extras
    from tagger.evaluation.report.tables import ReportTable
    from tagger.evaluation.runner import Evaluation
    from tagger.statistics.metrics import Decisions, Floats, Truth

CHAIN = "chain"
"""The strategy that stands out in every chart."""

BEST = 2
"""Strategies drawn beside the chain; all of them are behind a fold."""


@dataclass(frozen=True)
class Figure:
    """A drawing with its words and its numbers.

    :ivar table: the same numbers for those who read them; None only where the drawing has none.
    :ivar legend: name and look of each series.
    :ivar wide: takes the full width of the page.
    :ivar points: the legend shows markers without lines.
    :ivar cloud: those markers are round and differ by colour.
    :ivar more: the same drawing with every series, shown on demand.
    :ivar narrow: the same drawing for the width of a phone.
    :ivar code: text to copy as it is.
    """

    title: str
    caption: str
    drawing: Markup | None = None
    table: ReportTable | None = None
    legend: tuple[tuple[str, int], ...] = ()
    wide: bool = False
    points: bool = False
    cloud: bool = False
    more: Markup | None = None
    more_legend: tuple[tuple[str, int], ...] = ()
    narrow: Markup | None = None
    code: str = ""


@dataclass(frozen=True)
class Section:
    """A chapter of the report; a curious one decides nothing and comes after those that do."""

    anchor: str
    title: str
    lead: str
    figures: tuple[Figure, ...]
    curious: bool = False


@dataclass(frozen=True)
class Pooled:
    """One strategy's test results on one slice, the seeds' test sets one after another.

    :ivar rows: rows of the evaluation's data. *Shape:* (n,)
    """

    rows: NDArray[np.int_]
    truth: Truth
    scores: Floats
    decided: Decisions
    applied: Decisions | None


@dataclass(frozen=True)
class View:
    """The evaluation as the report sees it."""

    evaluation: Evaluation
    figures: Figures
    extras: Extras

    @property
    def names(self) -> tuple[str, ...]:
        return self.evaluation.data.names

    @cached_property
    def slices(self) -> tuple[str, ...]:
        """Names of the slices that were scored, smallest first."""
        return tuple(sorted({summary.slice for summary in self.figures.summary}, key=slice_size))

    @property
    def last(self) -> str:
        """The largest slice."""
        return self.slices[-1]

    @cached_property
    def best(self) -> Summary:
        """The best strategy on the largest slice."""
        summary = self.figures.best(self.last)
        if summary is None:
            raise ValueError("an evaluation without a single cell has no report")
        return summary

    @cached_property
    def true_sizes(self) -> dict[str, int]:
        """Mean true size of each slice."""
        return {summary.slice: summary.n_train for summary in self.figures.summary}

    @cached_property
    def leading(self) -> tuple[str, ...]:
        """The chain and the best two beside it on the largest slice, which charts show first."""
        there = [summary for summary in self.figures.summary if summary.slice == self.last]
        there.sort(key=lambda summary: -(summary.micro_f1.value + summary.macro_f1.value))
        others = [summary.strategy for summary in there if summary.strategy != CHAIN][:BEST]
        shown = {CHAIN, *others}
        return tuple(name for name in self.evaluation.strategies if name in shown)

    def snapshot(self, strategy: str) -> int:
        """Colour, dash and marker of a strategy: 0 is the chain's."""
        others = [name for name in self.evaluation.strategies if name != CHAIN]
        return 0 if strategy == CHAIN else 1 + others.index(strategy)

    def legend(self, strategies: Sequence[str] | None = None) -> tuple[tuple[str, int], ...]:
        names = self.evaluation.strategies if strategies is None else strategies
        return tuple((name, self.snapshot(name)) for name in names)

    def of_strategy(self, strategy: str) -> list[Summary]:
        """Its summaries, smallest slice first."""
        summaries = [summary for summary in self.figures.summary if summary.strategy == strategy]
        return sorted(summaries, key=lambda summary: slice_size(summary.slice))

    def pooled(self, strategy: str, slice_name: str) -> Pooled | None:
        """Test results of all seeds together; None where the strategy was not scored there."""
        cells = [
            cell
            for cell in self.evaluation.cells
            if (cell.key.strategy, cell.key.slice) == (strategy, slice_name)
        ]
        return self._pool(cells) if cells else None

    def _pool(self, cells: Sequence[CellResult]) -> Pooled:
        rows = np.concatenate([self.evaluation.of_seed(cell.key.seed).test for cell in cells])
        applied = [cell.applied for cell in cells if cell.applied is not None]
        return Pooled(
            rows,
            self.evaluation.data.targets[rows],
            np.concatenate([cell.scores for cell in cells]).astype(float),
            np.concatenate([cell.decided for cell in cells]),
            np.concatenate(applied) if len(applied) == len(cells) else None,
        )
