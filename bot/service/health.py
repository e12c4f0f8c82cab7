"""`/healthz`, `/readyz` and `/metrics`: how the service is, without a name of any repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from bot.operations.metrics import CONTENT_TYPE
from bot.service import described
from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.jobs.worker_pool import WorkerThread
    from bot.model_serving.release_cache import ReleaseCache
    from bot.operations.metrics import Metrics
    from store.database import Store


class Health:
    """The endpoints; the plain functions run in threads, because they ask the database.

    :param worker: None where the worker runs elsewhere.
    """

    def __init__(
        self,
        store: Store,
        cache: ReleaseCache,
        metrics: Metrics,
        clock: Callable[[], datetime],
        worker: WorkerThread | None,
    ) -> None:
        self._store = store
        self._cache = cache
        self._metrics = metrics
        self._clock = clock
        self._worker = worker
        self.router = APIRouter()
        self.router.add_api_route("/healthz", self.healthz, **described.HEALTHZ)
        self.router.add_api_route("/readyz", self.readyz, **described.READYZ)
        self.router.add_api_route(
            "/metrics", self.metrics, response_class=PlainTextResponse, **described.METRICS
        )

    async def healthz(self) -> Response:
        """The process is up; its worker too, where it has one."""
        if self._worker is not None and not self._worker.alive:
            return JSONResponse({"status": "the worker has ended; restart the service"}, 503)
        return JSONResponse({"status": "ok"})

    def readyz(self) -> Response:
        """The database answers and is up to date, and there is a release to tag with."""
        if self._worker is not None and not self._worker.warm:
            return JSONResponse({"releases": "loading"}, 503)
        readiness: dict[str, Any] = {"database": "ok", "releases": "ok"}
        try:
            self._store.ping()
            self._store.check_schema()
            readiness["active_releases"], missing = self._releases()
        except StoreError as error:
            return JSONResponse({"database": type(error).__name__}, 503)
        if missing:
            readiness["releases"] = (
                f"{missing} active releases have no folder; issue-tagger rollback"
            )
        if readiness["active_releases"] == missing:
            readiness["releases"] = (
                readiness["releases"] if missing else "none; issue-tagger retrain REPO"
            )
            return JSONResponse(readiness, 503)
        return JSONResponse(readiness)

    def metrics(self) -> Response:
        """Prometheus' text."""
        try:
            text = self._metrics.exposition(self._store, self._clock())
        except StoreError as error:
            return JSONResponse({"database": type(error).__name__}, 503)
        return Response(text, media_type=CONTENT_TYPE)

    def _releases(self) -> tuple[int, int]:
        """How many releases serve, and how many of those have no folder."""
        with self._store.read() as work:
            releases = [
                work.releases.active(repository.id) for repository in work.repositories.all()
            ]
        active = [release for release in releases if release is not None]
        missing = [release for release in active if self._cache.lacks(release)]
        return len(active), len(missing)
