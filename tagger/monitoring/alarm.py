"""Alarms: whether something is worse than when it was last reported, beyond noise.

The same paired bootstrap as the gate's, asked of this run's decisions and of the last run's, on the
issues that both decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tagger.monitoring.gate import common_rows, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.monitoring.gate import GateDecision
    from tagger.statistics.metrics import Decisions, Truth
    from tagger.statistics.stratification import Rows


@dataclass(frozen=True)
class Decided:
    """What was decided about issues.

    :ivar numbers: of the issues. *Shape:* (n_issues,)
    :ivar names: of the labels. *Shape:* (n_labels,)
    :ivar decided: *Shape:* (n_issues, n_labels)
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    decided: Decisions


def compare_with_last(now: Decided, last: Decided, truth: Truth) -> GateDecision | None:
    """The gate's comparison; `promote` is False where it is worse now. None: nothing in common.

    :param truth: what people have on `now.numbers` at present, in the order of `now.names`.
    """
    rows, last_rows = common_rows(now.numbers, last.numbers)
    columns, last_columns = _common(now.names, last.names)
    if not len(rows) or not len(columns):
        return None
    return decide(
        truth[np.ix_(rows, columns)],
        now.decided[np.ix_(rows, columns)],
        last.decided[np.ix_(last_rows, last_columns)],
        [now.names[column] for column in columns],
    )


def _common(now: Sequence[str], last: Sequence[str]) -> tuple[Rows, Rows]:
    place = {name: column for column, name in enumerate(last)}
    columns = [column for column, name in enumerate(now) if name in place]
    return np.array(columns, dtype=int), np.array(
        [place[now[column]] for column in columns], dtype=int
    )
