"""The audit as a page in the report's look: everything found, each issue a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tagger.evaluation.report.page import PageContent, render
from tagger.evaluation.report.tables import ReportTable, TableCell
from tagger.evaluation.report.view import Figure, Section

if TYPE_CHECKING:
    from pathlib import Path

    from bot.evaluating.auditing import Audit


def write_page(audit: Audit, repository: str, address: str, file: Path) -> Path:
    """Write the page, in one step.

    :param address: of an issue, with `{number}` in it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.tmp")
    aside.write_text(audit_page(audit, repository, address), encoding="utf-8")
    return aside.replace(file)


def audit_page(audit: Audit, repository: str, address: str) -> str:
    """Everything that was found, as one harmless page."""
    sections = (
        _section("suspects", "Probably wrong or missing", _suspects(audit, address)),
        _section("confused", "Confused with one another", _confused(audit, address)),
        _section("doubles", "Perhaps one label", _doubles(audit)),
    )
    unused = ", ".join(use.name for use in audit.dead)
    sentences = [
        f"{len(audit.suspects)} labels on issues are probably wrong or missing; correct them on "
        "GitHub, the surest first, then retrain."
    ]
    if unused:
        sentences.append(f"Nobody uses: {unused}.")
    return render(
        PageContent(
            f"Labels of {repository}: what is probably wrong",
            "issue-tagger audit",
            repository,
            sentences,
            [section for section in sections if section is not None],
        )
    )


def _section(anchor: str, title: str, table: ReportTable) -> Section | None:
    if not table.rows:
        return None
    return Section(anchor, title, "", (Figure(title, "", table=table, wide=True),))


def _link(number: int, address: str) -> TableCell:
    return TableCell(f"#{number}", url=address.replace("{number}", str(number)))


def _suspects(audit: Audit, address: str) -> ReportTable:
    rows = [
        [
            _link(suspect.number, address),
            audit.titles[suspect.number][:120],
            suspect.label,
            suspect.kind,
            float(suspect.suspicion),
        ]
        for suspect in audit.suspects
    ]
    return ReportTable.of(["issue", "title", "label", "probably", "suspicion"], rows)


def _confused(audit: Audit, address: str) -> ReportTable:
    rows = [
        [
            pair.true,
            pair.given,
            pair.count,
            TableCell(f"{pair.share:.0%}", number=True),
            _link(pair.issues[0], address) if pair.issues else "",
        ]
        for pair in audit.confused
    ]
    return ReportTable.of(["label", "taken for", "issues", "share", "such as"], rows)


def _doubles(audit: Audit) -> ReportTable:
    return ReportTable.of(
        ["label", "and", "why"], [[pair.first, pair.second, pair.why] for pair in audit.doubles]
    )
