"""Releases with curves, What would it do, Try it, Why and Audit, as pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.api import auditing, explaining, learning
from bot.api.learning_documents import AuditItemDocument, TryOrder
from bot.api.refusals import ApiRefusal, NotShown
from bot.pages.exchange import field, page, see
from bot.pages.rendering import path_of, render
from bot.pages.sentences import act_sentence, together
from bot.signin.roles import Role

if TYPE_CHECKING:
    from fastapi.responses import Response

    from bot.api.documents import DecidedDocument
    from bot.api.learning_documents import (
        EvaluationDocument,
        IssueDocument,
        PreviewDocument,
        PreviewTargetDocument,
        ReleaseLabelDocument,
    )
    from bot.pages.site import Site, Visit

SECONDS = 3
"""After which a page that waits for something looks again."""
LIKELY = 8
"""Labels of an issue that are shown in full."""
_CHAIN = "chain"


class LearningPages:
    """The endpoints, for the site that they belong to."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._api = site.api

    async def why(self, visit: Visit) -> Response:
        """Everything about one issue."""
        number = visit.request.path_params["number"]
        if not number.isdecimal() or len(number) > 15:
            raise NotShown
        issue = await explaining.why(self._api, visit.viewer, visit.repository, int(number))
        here = f"{path_of(visit.repository)}/why/{issue.number}"
        return self._site.show(
            visit,
            "why.html.jinja",
            "Why",
            issue=issue,
            likely=LIKELY,
            here=here,
            together=together,
            happened=_happened(issue),
            words_of=act_sentence,
        )

    async def try_form(self, visit: Visit) -> Response:
        """An empty form, or one filled with an issue's text."""
        title = body = ""
        number = visit.whole("number", 0)
        if number:
            issue = await explaining.why(self._api, visit.viewer, visit.repository, number)
            title, body = issue.title, issue.body
        else:
            await self._may(visit)
        return self._site.show(
            visit, "try.html.jinja", "Try it", title=title, body=body, tried=None
        )

    async def try_it(self, visit: Visit) -> Response:
        """What would be said of the text."""
        title, body = field(visit.form, "title"), field(visit.form, "body")
        try:
            order = TryOrder(title=title, body=body)
        except ValueError:
            raise ApiRefusal(
                400, "It takes a title, and a body of 65,536 characters at most."
            ) from None
        tried = await explaining.tried(self._api, visit.viewer, visit.repository, order)
        return self._site.show(
            visit, "try.html.jinja", "Try it", title=title, body=body, tried=tried
        )

    async def preview(self, visit: Visit) -> Response:
        """The newest open issues at each target."""
        looked = await explaining.previewed(self._api, visit.viewer, visit.repository)
        at = _target(looked, visit.asked("precision")) if looked.ready else None
        refresh = 0 if looked.ready else SECONDS
        heading = "What would it do?"
        return self._site.show(
            visit, "preview.html.jinja", heading, preview=looked, at=at, refresh=refresh
        )

    async def releases(self, visit: Visit) -> Response:
        """Releases side by side, labels and curves."""
        api, viewer, name = self._api, visit.viewer, visit.repository
        listed = await learning.releases(api, viewer, name)
        evaluation = await learning.evaluation(api, viewer, name)
        active = [release for release in listed.releases if release.id == listed.active]
        gates = [release.gate for release in listed.releases if release.gate]
        metrics = dict.fromkeys(figure.metric for gate in gates for figure in gate.figures)
        curves, sample = _curves(evaluation)
        return self._site.show(
            visit,
            "releases.html.jinja",
            "Releases",
            releases=listed,
            labels=active[0].labels if active else [],
            metrics=list(metrics),
            evaluation=evaluation,
            curves=curves,
            sample=sample,
            file_line=file_line,
            admin=await viewer.role(name) >= Role.ADMIN,
            refresh=SECONDS if listed.training.state in {"running", "waiting"} else 0,
        )

    async def change_release(self, visit: Visit) -> Response:
        """Train, promote, roll back."""
        api, viewer, name = self._api, visit.viewer, visit.repository
        act = field(visit.form, "act")
        if act == "retrain":
            await learning.retrained(api, viewer, name)
        elif act == "rollback":
            await learning.rolled_back(api, viewer, name)
        elif act == "promote":
            await learning.promoted(api, viewer, name, field(visit.form, "release"))
        else:
            raise ApiRefusal(400, "The form is not one of ours.")
        return see(f"{path_of(name)}/releases")

    async def audit(self, visit: Visit) -> Response:
        """Likely wrong and missing labels."""
        audit = await auditing.audited(self._api, visit.viewer, visit.repository)
        refresh = 0 if audit.ready else SECONDS
        return self._site.show(visit, "audit.html.jinja", "Audit", audit=audit, refresh=refresh)

    async def audit_anew(self, visit: Visit) -> Response:
        """Judge once more."""
        await auditing.audited(self._api, visit.viewer, visit.repository, anew=True)
        return see(f"{path_of(visit.repository)}/audit")

    async def _may(self, visit: Visit) -> None:
        """:raises ApiRefusal: they may not see the repository."""
        async with self._api.opened(visit.viewer, visit.repository):
            pass


def _happened(issue: IssueDocument) -> list[tuple[str, Any]]:
    """Predictions and acts as they came."""
    entries: list[tuple[str, Any]] = [("prediction", each) for each in issue.predictions]
    entries += [("act", each) for each in issue.history]
    return sorted(entries, key=lambda entry: entry[1].at)


def suspect_part(visit: Visit, decided: DecidedDocument) -> Response:
    """An item of the audit once it was decided."""
    suspicion = field(visit.form, "suspicion")
    try:
        item = AuditItemDocument.model_validate(
            {
                "number": decided.number,
                "title": field(visit.form, "title"),
                "label": decided.label,
                "kind": field(visit.form, "kind"),
                "suspicion": suspicion,
                "standing": "open" if decided.decision == "undone" else decided.decision,
                "decided_by": visit.viewer.login,
            }
        )
    except ValueError:
        raise ApiRefusal(400, "The form is not one of ours.") from None
    base, csrf = path_of(visit.repository), visit.viewer.csrf
    return page(render("suspect.html.jinja", it=item, base=base, csrf=csrf))


def file_line(label: ReleaseLabelDocument) -> str:
    """A label's line in the configuration file, in the mode that is advised."""
    return f"{json.dumps(label.name, ensure_ascii=False)}: {{mode: {label.mode}}}"


def _target(looked: PreviewDocument, wanted: str) -> PreviewTargetDocument:
    """The target that was asked for, else the one nearest to what is configured."""
    try:
        precision = float(wanted)
    except ValueError:
        precision = looked.configured
    return min(looked.targets, key=lambda target: abs(target.precision - precision))


def _curves(evaluation: EvaluationDocument) -> tuple[list[tuple[str, Any, Any]], Any]:
    """Both drawings of the report, from the numbers of the document."""
    from markupsafe import Markup

    from tagger.evaluation.report.charts import Series, line_chart, sample
    from tagger.evaluation.report.svg import Axis, even_ticks

    drawings: list[tuple[str, Any, Any]] = []
    curves = [curve for curve in evaluation.curves if len(curve.points) > 1]
    sizes = sorted({point.n_train for curve in curves for point in curve.points})
    if not sizes:
        return drawings, sample
    ticks = tuple((size, f"{size:,.0f}") for size in sizes)
    x = Axis(sizes[0] / 1.15, sizes[-1] * 1.1, ticks, "labelled issues", log=True)
    ordered = sorted(curves, key=lambda curve: curve.strategy != _CHAIN)
    for title, metric in (("Micro F1", "micro_f1"), ("Macro F1", "macro_f1")):
        lines = [
            Series(
                curve.strategy,
                place,
                tuple((point.n_train, getattr(point, metric)) for point in curve.points),
                tuple(getattr(point, f"{metric}_ci") for point in curve.points),
                strong=curve.strategy == _CHAIN,
            )
            for place, curve in enumerate(ordered)
        ]
        y = Axis(0, 1, even_ticks(0, 1, 0.2), title)
        drawn = line_chart(f"{title} over labelled issues", lines, x, y)
        legend = [(line.name, line.snapshot) for line in lines]
        drawings.append((title, Markup(_without_style(drawn)), legend))  # noqa: S704 - our own SVG
    return drawings, lambda look: Markup(_without_style(sample(look)))  # noqa: S704


def _without_style(drawing: str) -> str:
    """The pages' security policy takes no style attributes; the style sheet knows the sizes."""
    return re.sub(r' style="[^"]*"', "", drawing)
