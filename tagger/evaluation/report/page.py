"""The report as one self-contained HTML page: no script, no request, every text escaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tagger.evaluation.report.charts import sample
from tagger.evaluation.report.corpus import corpus
from tagger.evaluation.report.findings import errors, learning, next_steps
from tagger.evaluation.report.in_use import in_use
from tagger.evaluation.report.skill import by_strategy, cost, curves, labels
from tagger.evaluation.report.trust import trust
from tagger.evaluation.report.verdict import first_chapter, sentences, tiles

if TYPE_CHECKING:
    from tagger.evaluation.report.view import Section, View

_HERE = Path(__file__).parent


def sections(view: View) -> list[Section]:
    """All chapters, in reading order."""
    chapters = (
        *(first_chapter, in_use, next_steps, labels, trust, errors),
        *(curves, by_strategy, corpus, learning, cost),
    )
    return [section for make in chapters if (section := make(view)) is not None]


def report_page(view: View) -> str:
    """Render the page. The same evaluation gives the same page, byte for byte."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(
        view=view,
        style=Markup(style),  # noqa: S704  our own file
        sample=sample,
        tiles=tiles(view),
        sentences=sentences(view),
        sections=sections(view),
    )
