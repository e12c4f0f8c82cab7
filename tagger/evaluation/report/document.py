"""`report.json`: the contract for scripts, with more beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagger.evaluation.report.outlook import verdict_of
from tagger.evaluation.report.view import View
from tagger.monitoring.verdict import as_json

if TYPE_CHECKING:
    from tagger.evaluation.figures import Figures
    from tagger.evaluation.report.extras import Extras
    from tagger.evaluation.runner import Evaluation


def report_json(evaluation: Evaluation, figures: Figures, extras: Extras) -> dict[str, Any]:
    """The whole evaluation as one JSON document; the same run gives the same document."""
    names = evaluation.data.names
    return {
        "repository": extras.repository,
        "labels": list(names),
        "fingerprint": evaluation.fingerprint,
        "split": evaluation.plan.kind,
        "n_test": len(evaluation.splits[0].test),
        "rows": [row.to_json(names) for row in figures.rows],
        "summary": [summary.to_json(names) for summary in figures.summary],
        "seeds": [part.seed for part in evaluation.splits],
        "n_labelled": len(evaluation.data),
        "positives": dict(zip(names, map(int, evaluation.data.positives), strict=True)),
        "notes": list(extras.notes),
        "changes": changes(figures, extras.previous),
        "verdict": as_json(verdict_of(View(evaluation, figures, extras))),
        "live": [label.to_json() for label in extras.live],
    }


def changes(figures: Figures, previous: dict[str, Any] | None) -> list[dict[str, Any]]:
    """How far each summary moved since the last run; `beyond`: outside the last run's interval."""
    if not previous:
        return []
    before = {(row["strategy"], row["slice"]): row for row in previous.get("summary", ())}
    differences = []
    for summary in figures.summary:
        last = before.get((summary.strategy, summary.slice))
        if last is None:
            continue
        moved: dict[str, Any] = {"strategy": summary.strategy, "slice": summary.slice}
        for metric, now in (
            ("micro_f1", summary.micro_f1.value),
            ("macro_f1", summary.macro_f1.value),
        ):
            low, high = last[f"{metric}_ci"]
            moved[metric] = now - last[metric]
            moved[f"{metric}_beyond"] = not low <= now <= high
        differences.append(moved)
    return differences
