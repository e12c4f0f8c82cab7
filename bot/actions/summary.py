"""The job's summary, in Markdown: what was done or would be, and what each label can do. Pure.

Titles and labels of people's making stand in code spans: nothing in them is markup or a mention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration.effective import CONFIGURATION_PATH
from bot.github.markdown import code_span
from tagger.evaluation.report.tables import escaped
from tagger.monitoring.verdict import (
    configuration,
    missing_in_words,
    sentences,
    verdict_of_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.backfilling.backfilling import Backfilled, BackfillRow
    from bot.learning.gating import Retrained
    from store.records import PredictedLabel
    from tagger.monitoring.verdict import ReleaseVerdict

MAX_TITLE = 80
SHADOW = (
    "Nothing was written: the repository's `.github/issue-tagger.yml` says `mode: shadow`, or is "
    "not there. `mode: suggest` puts labels before people, `mode: apply` sets them."
)


def of_issue(number: int, labels: Sequence[PredictedLabel], *, wrote: bool) -> str:
    """What was said of one issue and done about it."""
    spoken_of = [label for label in labels if label.decision != "abstain"]
    if not spoken_of:
        return f"#{number}: no label is likely enough to be set or suggested."
    lines = [f"#{number}:", "", "| label | probability | threshold | |", "|---|--:|--:|---|"]
    lines += [_row(label) for label in spoken_of]
    return "\n".join([*lines, *([] if wrote else ["", SHADOW])])


def _row(label: PredictedLabel) -> str:
    done = {"set": "set", "suggested": "suggested"}.get(label.action or "")
    verdict = {"apply": "would be set", "suggest": "would be suggested"}[label.decision]
    return f"| {code_span(label.name)} | {label.score:.2f} | {label.cut:.2f} | {done or verdict} |"


def of_backfill(done: Backfilled) -> str:
    """Open issues with the labels that they got, or would get."""
    verb = "would get" if done.run_id is None else "got"
    head = f"{done.considered} open issues were looked at; {len(done.lines)} {verb} labels."
    if not done.lines:
        return head
    rows = "\n".join(_line(row) for row in done.lines)
    table = f"| issue | set | suggested |\n|---|---|---|\n{rows}"
    undo = "" if done.run_id is None else f"\n\n`issue-tagger undo {done.run_id}` takes them back."
    return f"{head}\n\n{table}{undo}"


def _line(row: BackfillRow) -> str:
    applied = [choice.label for choice in row.planned.to_apply]
    applied += [row.planned.fallback] if row.planned.fallback else []
    suggested = [choice.label for choice in row.planned.to_suggest]
    title = code_span(row.title[:MAX_TITLE])
    return f"| #{row.number} {title} | {_names(applied)} | {_names(suggested)} |"


def _names(labels: Iterable[str]) -> str:
    return ", ".join(map(code_span, labels))


def of_training(done: Retrained) -> str:
    """The verdict, what each label can do, the file to copy, and what became of the release."""
    outlook = verdict_of_manifest(done.manifest.as_json())
    serving = "serves now" if done.promoted else "does not serve"
    return "\n".join(
        [
            *(f"{escaped(sentence)}\n" for sentence in sentences(outlook)),
            *_table(outlook),
            "",
            f"<details><summary>{CONFIGURATION_PATH}</summary>\n",
            f"```yaml\n{configuration(outlook)}```\n</details>\n",
            f"The release {serving}.",
        ]
    )


def _table(outlook: ReleaseVerdict) -> Iterator[str]:
    yield "| label | mode | examples | from this probability on | right at least | missing |"
    yield "|---|---|--:|--:|--:|---|"
    for label in outlook.labels:
        threshold = "-" if label.threshold is None else f"{label.threshold:.2f}"
        bound = "-" if label.low is None else f"{label.low:.0%}"
        yield (
            f"| {code_span(label.name)} | {label.mode} | {label.examples} | {threshold} | {bound} "
            f"| {missing_in_words(label)} |"
        )
