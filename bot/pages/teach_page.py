"""Teach: one issue at a time, with a key for each likely label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.api import teaching
from bot.api.refusals import ApiRefusal
from bot.api.teaching_documents import AnswerOrder, RunOrder, SkipOrder
from bot.pages.exchange import field, see
from bot.pages.rendering import path_of
from bot.pages.sentences import change_sentence, teaching_sentence

if TYPE_CHECKING:
    from fastapi.responses import Response

    from bot.api.api_context import ApiContext
    from bot.pages.site import Site, Visit

SECONDS = 3
"""After which a page that waits for the first lesson looks again."""


class TeachPage:
    """The endpoints, for the site that they belong to."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._api: ApiContext = site.api

    async def show(self, visit: Visit) -> Response:
        """The next issue."""
        teach = await teaching.teach(self._api, visit.viewer, visit.repository)
        direct = visit.asked("direct") == "1" and teach.can_write
        waits = not teach.ready or teach.run.state == "running"
        return self._site.show(
            visit,
            "teach.html.jinja",
            "Teach",
            teach=teach,
            sentence=teaching_sentence(teach) if teach.ready else "",
            changed=change_sentence(teach),
            refresh=SECONDS if waits and not direct else 0,
            direct=direct,
        )

    async def act(self, visit: Visit) -> Response:
        """An answer, or what is to become of all of them."""
        api, viewer, name = self._api, visit.viewer, visit.repository
        act = field(visit.form, "act") or "answer"
        if act in {"write", "unwrite"}:
            order = RunOrder(act="write" if act == "write" else "undo")
            await teaching.run(api, viewer, name, order)
            return see(f"{path_of(name)}/teach#use")
        if act == "undo":
            await teaching.undone(api, viewer, name)
        elif act == "skip":
            await teaching.skipped(api, viewer, name, _skip(visit))
        elif act in {"answer", "none"}:
            await teaching.answered(api, viewer, name, _answer(visit, none=act == "none"))
        else:
            raise ApiRefusal(400, "The form is not one of ours.")
        return see(f"{path_of(name)}/teach{'?direct=1' if _is_direct(visit) else ''}")


def _is_direct(visit: Visit) -> bool:
    """Whether answers are to go to GitHub at once."""
    return field(visit.form, "direct") == "1"


def _skip(visit: Visit) -> SkipOrder:
    try:
        return SkipOrder.model_validate({"number": field(visit.form, "number")})
    except ValueError:
        raise ApiRefusal(400, "The form is not one of ours.") from None


def _answer(visit: Visit, *, none: bool) -> AnswerOrder:
    """:raises ApiRefusal: no label was chosen, or the form is none of ours."""
    more = field(visit.form, "more").strip()
    labels = [] if none else [*visit.form.get("label", []), *([more] if more else [])]
    offered = visit.form.get("offered", []) if none else []
    if not labels and not none:
        raise ApiRefusal(400, "Choose a label, or say that none of these belongs.")
    try:
        return AnswerOrder.model_validate(
            {
                "number": field(visit.form, "number"),
                "labels": labels,
                "offered": offered,
                "direct": _is_direct(visit),
            }
        )
    except ValueError:
        raise ApiRefusal(400, "The form is not one of ours.") from None
