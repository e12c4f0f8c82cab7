"""What people did with labels in use: the figures that no test set can give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.evaluation.report.tables import ReportTable, TableCell
from tagger.evaluation.report.view import Figure, Section, View

if TYPE_CHECKING:
    from tagger.monitoring.live_figures import LiveLabel, WeightedShare


def in_use(view: View) -> Section | None:
    """Precision, miss rate, coverage by label; None where no label was ever decided or judged."""
    labels = [label for label in view.extras.live if label.decided or label.coverage.n]
    if not labels:
        return None
    lead = (
        "What people said to labels in use, over twelve weeks: by answering the audit's questions "
        "(asked), by editing issues that the audit drew (reviewed), or any issues (seen)."
    )
    heads = [
        "label",
        "decided",
        "precision",
        "",
        "miss rate",
        "",
        "coverage",
        "",
        "answers",
        "from",
    ]
    return Section("use", "In use", lead, (_figure(ReportTable.of(heads, map(_row, labels))),))


def _figure(table: ReportTable) -> Figure:
    return Figure(
        "Precision, miss rate and coverage in use",
        "Precision: of what would be set, the share that people wanted. Miss rate and coverage: "
        "of what they wanted, the share kept back and the share that would be set. The ranges "
        "are 95 % intervals.",
        table=table,
        wide=True,
    )


def _row(label: LiveLabel) -> list[object]:
    shares = (label.precision, label.miss_rate, label.coverage)
    surest = max(shares, key=lambda share: share.n)
    figures = [cell for share in shares for cell in _cells(share)]
    return [label.label, label.decided, *figures, surest.n, surest.basis]


def _cells(share: WeightedShare) -> tuple[TableCell, TableCell]:
    if share.value is None:
        return TableCell("", number=True), TableCell("")
    return TableCell(f"{share.value:.3f}", number=True), TableCell(
        f"{share.low:.3f}-{share.high:.3f}"
    )
