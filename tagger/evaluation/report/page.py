"""The report as one self-contained HTML page: no script, no request, every text escaped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.evaluation.report.charts import sample
from tagger.evaluation.report.corpus import corpus
from tagger.evaluation.report.findings import errors, learning, next_steps
from tagger.evaluation.report.in_use import in_use
from tagger.evaluation.report.skill import by_strategy, cost, curves, labels
from tagger.evaluation.report.style import style_sheet
from tagger.evaluation.report.trust import trust
from tagger.evaluation.report.verdict import first_chapter, sentences, tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.evaluation.report.verdict import Tile
    from tagger.evaluation.report.view import Section, View

_HERE = Path(__file__).parent


def sections(view: View) -> list[Section]:
    """All chapters, in reading order."""
    chapters = (
        *(first_chapter, in_use, next_steps, labels, trust, errors),
        *(curves, by_strategy, corpus, learning, cost),
    )
    return [section for make in chapters if (section := make(view)) is not None]


@dataclass(frozen=True)
class PageContent:
    """What stands on a page.

    :ivar kicker: the command that made it.
    :ivar sentences: the first one is the most important.
    """

    title: str
    kicker: str
    heading: str
    sentences: Sequence[str]
    sections: Sequence[Section]
    tiles: Sequence[Tile] = ()
    notes: Sequence[str] = ()
    method: str = ""
    fingerprint: str = ""


def report_page(view: View) -> str:
    """Render the page. The same evaluation gives the same page, byte for byte."""
    repository = view.extras.repository
    seeds = ", ".join(str(part.seed) for part in view.evaluation.splits)
    return render(
        PageContent(
            f"Labels of {repository}: what to switch on",
            "issue-tagger evaluate",
            repository,
            sentences(view),
            sections(view),
            tiles(view),
            view.extras.notes,
            f"Split: {view.evaluation.plan.kind}. Seeds: {seeds}. {_METHOD}",
            view.evaluation.fingerprint,
        )
    )


_METHOD = (
    "Slices are nested and never share an issue, or a near duplicate of one, with the test set. "
    "Thresholds are chosen on training folds only. Intervals are bootstrap percentiles over test "
    "issues, and over seeds where there are several; those of precision are Clopper and Pearson's."
)


def render(content: PageContent) -> str:
    """A page that loads nothing and runs nothing."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.jinja")
    return template.render(content=content, style=Markup(style_sheet()), sample=sample)  # noqa: S704  our own file
