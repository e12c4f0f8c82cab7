"""The three files of a report, written side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tagger.evaluation.figures import figures
from tagger.evaluation.report.document import report_json
from tagger.evaluation.report.page import report_page
from tagger.evaluation.report.text import report_text
from tagger.evaluation.report.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.evaluation.report.extras import Extras
    from tagger.evaluation.runner import Evaluation


def write_report(evaluation: Evaluation, extras: Extras, folder: Path) -> tuple[Path, ...]:
    """Write `report.json`, `report.md` and `report.html` into `folder`, made if need be.

    :returns: the three paths, in this order.
    """
    view = View(evaluation, figures(evaluation), extras)
    document = report_json(evaluation, view.figures, extras)
    contents = {
        "report.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        "report.md": report_text(view),
        "report.html": report_page(view),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_write(folder / name, text) for name, text in contents.items())


def _write(path: Path, text: str) -> Path:
    aside = path.with_suffix(path.suffix + ".tmp")
    aside.write_text(text, encoding="utf-8")
    return aside.replace(path)
