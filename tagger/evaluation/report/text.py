"""The report as Markdown, for a GitHub issue or a file beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.evaluation.report.page import sections
from tagger.evaluation.report.tables import escaped
from tagger.evaluation.report.verdict import sentences, tiles

if TYPE_CHECKING:
    from tagger.evaluation.report.view import Figure, Section, View

TOLD = ("verdict", "next", "labels", "trust", "errors", "curves", "strategies", "cost")
"""Chapters that read well as text; the others are pictures."""


def report_text(view: View) -> str:
    """Render the report as Markdown; texts from issues are escaped and mention nobody."""
    numbers = [f"- **{escaped(tile.value)}** {escaped(tile.meaning)}" for tile in tiles(view)]
    parts = [
        f"# How well labels are told in {escaped(view.extras.repository)}",
        "\n".join(escaped(sentence) for sentence in sentences(view)),
        "\n".join(numbers),
        *(f"> {escaped(note)}" for note in view.extras.notes),
        *_parted(view),
        f"Split: {view.evaluation.plan.kind}. Fingerprint: `{view.evaluation.fingerprint}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _parted(view: View) -> list[str]:
    """Chapters that decide something, then a line, then those for the curious."""
    chapters = [section for section in sections(view) if section.anchor in TOLD]
    deciding = [_chapter(section) for section in chapters if not section.curious]
    return [*deciding, "---\n\n*For the curious:*", *map(_chapter, chapters[len(deciding) :])]


def _chapter(section: Section) -> str:
    figures = [_figure(figure) for figure in section.figures if figure.table or figure.code]
    return "\n\n".join([f"## {section.title}", section.lead, *figures])


def _figure(figure: Figure) -> str:
    table = figure.table.markdown() if figure.table is not None else ""
    code = f"```yaml\n{figure.code}```" if figure.code else ""
    parts = (f"### {figure.title}", escaped(figure.caption), table, code)
    return "\n\n".join(part for part in parts if part)
