"""The report as Markdown, for a GitHub issue or a file beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.evaluation.report.page import sections
from tagger.evaluation.report.tables import escaped
from tagger.evaluation.report.verdict import sentences, tiles

if TYPE_CHECKING:
    from tagger.evaluation.report.view import Figure, Section, View

TOLD = ("curves", "labels", "trust", "errors", "next", "cost")
"""Chapters that read well as text; the others are pictures."""


def report_text(view: View) -> str:
    """Render the report as Markdown; texts from issues are escaped and mention nobody."""
    chapters = [_chapter(section) for section in sections(view) if section.anchor in TOLD]
    numbers = [f"- **{escaped(tile.value)}** {escaped(tile.meaning)}" for tile in tiles(view)]
    parts = [
        f"# How well labels are told in {escaped(view.extras.repository)}",
        "\n".join(escaped(sentence) for sentence in sentences(view)),
        "\n".join(numbers),
        *(f"> {escaped(note)}" for note in view.extras.notes),
        *chapters,
        f"Split: {view.evaluation.plan.kind}. Fingerprint: `{view.evaluation.fingerprint}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _chapter(section: Section) -> str:
    figures = [_figure(figure) for figure in section.figures if figure.table is not None]
    return "\n\n".join([f"## {section.title}", section.lead, *figures])


def _figure(figure: Figure) -> str:
    table = figure.table.markdown() if figure.table is not None else ""
    return "\n\n".join(part for part in (f"### {figure.title}", figure.caption, table) if part)
