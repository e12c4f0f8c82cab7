"""The endpoints of `/api/v1` about releases, explanations, previews and teaching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from bot.api import auditing, explaining, learning, teaching
from bot.api.learning_documents import (
    AuditDocument,
    EvaluationDocument,
    IssueDocument,
    PreviewDocument,
    ReleasesDocument,
    TrainingDocument,
    TriedDocument,
    TryOrder,
)
from bot.api.teaching_documents import (
    AnswerOrder,
    RunDocument,
    RunOrder,
    SkipOrder,
    TeachDocument,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.api.api_context import ApiContext
    from bot.signin.viewers import Viewer

Owner = Annotated[str, Path(max_length=100)]
Name = Annotated[str, Path(max_length=100)]


class LearningRoutes:
    """Part of `bot.api.routes.Api`.

    :param viewer: who makes a request; raises ApiRefusal.
    """

    def __init__(self, api: ApiContext, viewer: Callable[[Request], Awaitable[Viewer]]) -> None:
        self._api = api
        self._viewer = viewer
        self.router = APIRouter()
        of = "/repositories/{owner}/{name}"
        self._add("GET", f"{of}/issues/{{number}}", self.why)
        self._add("POST", f"{of}/try", self.try_it)
        self._add("GET", f"{of}/preview", self.preview)
        self._add("GET", f"{of}/audit", self.audit)
        self._add("GET", f"{of}/releases", self.releases)
        self._add("POST", f"{of}/releases/{{release}}/promote", self.promote)
        self._add("POST", f"{of}/rollback", self.rollback)
        self._add("POST", f"{of}/retrain", self.retrain)
        self._add("GET", f"{of}/evaluation", self.evaluation)
        self._add("GET", f"{of}/teach", self.teach)
        self._add("POST", f"{of}/teach/answers", self.answer)
        self._add("POST", f"{of}/teach/skip", self.skip)
        self._add("POST", f"{of}/teach/undo", self.undo)
        self._add("POST", f"{of}/teach/run", self.run)

    def _add(self, method: str, path: str, endpoint: Any) -> None:
        self.router.add_api_route(path, endpoint, methods=[method])

    async def why(
        self,
        request: Request,
        owner: Owner,
        name: Name,
        number: Annotated[int, Path(ge=1, le=2**53)],
    ) -> IssueDocument:
        """One issue, and everything that was said of its labels."""
        viewer = await self._viewer(request)
        return await explaining.why(self._api, viewer, f"{owner}/{name}", number)

    async def try_it(
        self, request: Request, owner: Owner, name: Name, order: TryOrder
    ) -> TriedDocument:
        """What would be said of a text; it is not kept."""
        viewer = await self._viewer(request)
        return await explaining.tried(self._api, viewer, f"{owner}/{name}", order)

    async def preview(
        self,
        request: Request,
        owner: Owner,
        name: Name,
        newest: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> PreviewDocument:
        """What would be set and suggested on the newest open issues at each target precision."""
        viewer = await self._viewer(request)
        return await explaining.previewed(self._api, viewer, f"{owner}/{name}", newest)

    async def audit(self, request: Request, owner: Owner, name: Name) -> AuditDocument:
        """Likely wrong and missing labels."""
        viewer = await self._viewer(request)
        return await auditing.audited(self._api, viewer, f"{owner}/{name}")

    async def releases(self, request: Request, owner: Owner, name: Name) -> ReleasesDocument:
        """Releases side by side, and what the one that serves can do."""
        viewer = await self._viewer(request)
        return await learning.releases(self._api, viewer, f"{owner}/{name}")

    async def promote(
        self,
        request: Request,
        owner: Owner,
        name: Name,
        release: Annotated[str, Path(max_length=100)],
    ) -> ReleasesDocument:
        """Let a release serve; takes an administrator."""
        viewer = await self._viewer(request)
        return await learning.promoted(self._api, viewer, f"{owner}/{name}", release)

    async def rollback(self, request: Request, owner: Owner, name: Name) -> ReleasesDocument:
        """Let the release serve that served before; takes an administrator."""
        viewer = await self._viewer(request)
        return await learning.rolled_back(self._api, viewer, f"{owner}/{name}")

    async def retrain(self, request: Request, owner: Owner, name: Name) -> TrainingDocument:
        """Have a release trained; takes an administrator."""
        viewer = await self._viewer(request)
        return await learning.retrained(self._api, viewer, f"{owner}/{name}")

    async def evaluation(self, request: Request, owner: Owner, name: Name) -> EvaluationDocument:
        """The learning curves of the last evaluation."""
        viewer = await self._viewer(request)
        return await learning.evaluation(self._api, viewer, f"{owner}/{name}")

    async def teach(self, request: Request, owner: Owner, name: Name) -> TeachDocument:
        """The issue to label next, and what was learned so far."""
        viewer = await self._viewer(request)
        return await teaching.teach(self._api, viewer, f"{owner}/{name}")

    async def answer(
        self, request: Request, owner: Owner, name: Name, order: AnswerOrder
    ) -> TeachDocument:
        """Labels of an issue; they hold here until they are written to GitHub."""
        viewer = await self._viewer(request)
        return await teaching.answered(self._api, viewer, f"{owner}/{name}", order)

    async def skip(
        self, request: Request, owner: Owner, name: Name, order: SkipOrder
    ) -> TeachDocument:
        """Put an issue aside."""
        viewer = await self._viewer(request)
        return await teaching.skipped(self._api, viewer, f"{owner}/{name}", order)

    async def undo(self, request: Request, owner: Owner, name: Name) -> TeachDocument:
        """Take one's last answer back."""
        viewer = await self._viewer(request)
        return await teaching.undone(self._api, viewer, f"{owner}/{name}")

    async def run(self, request: Request, owner: Owner, name: Name, order: RunOrder) -> RunDocument:
        """Write what was decided here to GitHub, or undo the last such run."""
        viewer = await self._viewer(request)
        return await teaching.run(self._api, viewer, f"{owner}/{name}", order)
