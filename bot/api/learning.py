"""Releases, trainings and the last evaluation: answers for who administers a repository."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from bot.api.learning_documents import (
    CurveDocument,
    CurvePointDocument,
    EvaluationDocument,
    GateDocument,
    ReleaseDocument,
    ReleaseLabelDocument,
    ReleasesDocument,
    TrainingDocument,
)
from bot.learning.serving_choice import promote, rollback
from bot.signin.roles import Role
from tagger.monitoring.verdict import (
    configuration,
    missing_in_words,
    sentences,
    verdict_of_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.api.api_context import ApiContext
    from bot.signin.viewers import Viewer
    from store.records import Repository, StoredRelease
    from store.unit_of_work import UnitOfWork

SHOWN = 20
"""Releases of a repository, the newest."""
_RETRAIN = "retrain"


class Trainings(Protocol):
    """How a training is begun: by a task for a worker, or in this process where there is none."""

    def ask(self, repository: Repository, by: str) -> None:
        """Have a release trained, gated and, unless it is worse, promoted."""

    def standing(self, repository: Repository) -> TrainingDocument:
        """How the last one stands."""


class QueuedTrainings:
    """A task, which a worker takes up."""

    def __init__(self, api: ApiContext) -> None:
        self._api = api

    def ask(self, repository: Repository, by: str) -> None:
        with self._api.store.begin() as work:
            work.tasks.request(_RETRAIN, repository.id, self._api.now(), by=by)

    def standing(self, repository: Repository) -> TrainingDocument:
        with self._api.store.read() as work:
            task = work.tasks.find(_RETRAIN, repository.id)
        if task is None or (task.asked_at is None and task.finished_at is None):
            return TrainingDocument(state="none", words="", at=None)
        if task.state == "running":
            return TrainingDocument(state="running", words="training", at=task.started_at)
        if task.asked_at and (task.finished_at is None or task.asked_at > task.finished_at):
            return TrainingDocument(state="waiting", words="waiting for a worker", at=task.asked_at)
        if task.error:
            return TrainingDocument(state="failed", words=task.error, at=task.finished_at)
        return TrainingDocument(state="done", words=task.outcome or "", at=task.finished_at)


class OwnTrainings:
    """In a thread of this process: the pages on one's own machine have no worker beside them."""

    def __init__(self, api: ApiContext) -> None:
        self._api = api

    def ask(self, repository: Repository, by: str) -> None:  # noqa: ARG002 - who else
        key = _RETRAIN, repository.id
        self._api.background.forget(key)

        def train(progress: Any) -> str:
            from bot.learning.retraining import RetrainRequest, retrain

            workspace = self._api.container.workspace(progress)
            done = retrain(workspace, RetrainRequest(repository.full_name))
            last = done.stages[-1]
            verdict = "serves" if last.promoted else "does not serve"
            return f"release {last.manifest.id} {verdict}: {last.gate.reason}"

        self._api.background.ask(key, train, patience=0)

    def standing(self, repository: Repository) -> TrainingDocument:
        aside = self._api.background.find((_RETRAIN, repository.id))
        if aside is None:
            return TrainingDocument(state="none", words="", at=None)
        words = {"running": aside.step or "training", "done": aside.result, "failed": aside.error}
        return TrainingDocument(
            state=aside.state, words=str(words[aside.state]), at=aside.ended or aside.began
        )


async def releases(api: ApiContext, viewer: Viewer, name: str) -> ReleasesDocument:
    """Releases side by side, and what the one that serves can do for each label."""
    async with api.opened(viewer, name) as repository:
        stored = await api.read(lambda work: work.releases.list(repository.id)[:SHOWN])
        training = await asyncio.to_thread(api.trainings.standing, repository)
        return _releases(repository, stored, training)


async def promoted(api: ApiContext, viewer: Viewer, name: str, release: str) -> ReleasesDocument:
    """Let a release serve."""
    async with api.opened(viewer, name, Role.ADMIN) as repository:
        reason = f"by {viewer.login}"
        await asyncio.to_thread(
            promote,
            api.store,
            api.container.cache,
            repository.full_name,
            release,
            api.now(),
            reason,
        )
    return await releases(api, viewer, name)


async def rolled_back(api: ApiContext, viewer: Viewer, name: str) -> ReleasesDocument:
    """Let the release serve that served before."""
    async with api.opened(viewer, name, Role.ADMIN) as repository:
        await asyncio.to_thread(
            rollback, api.store, repository.full_name, api.now(), f"by {viewer.login}"
        )
    return await releases(api, viewer, name)


async def retrained(api: ApiContext, viewer: Viewer, name: str) -> TrainingDocument:
    """Have a release trained."""
    async with api.opened(viewer, name, Role.ADMIN) as repository:
        await asyncio.to_thread(api.trainings.ask, repository, viewer.login)
        return await asyncio.to_thread(api.trainings.standing, repository)


async def evaluation(api: ApiContext, viewer: Viewer, name: str) -> EvaluationDocument:
    """The learning curves of the last evaluation."""
    async with api.opened(viewer, name) as repository:
        return await api.read(lambda work: _evaluation(work, repository))


def _releases(
    repository: Repository, stored: tuple[StoredRelease, ...], training: TrainingDocument
) -> ReleasesDocument:
    active = next((release for release in stored if release.state == "active"), None)
    verdict = verdict_of_manifest(active.manifest) if active and _has_table(active) else None
    return ReleasesDocument(
        repository=repository.full_name,
        active=active.id if active else None,
        releases=[_release(release) for release in stored],
        training=training,
        verdict=sentences(verdict) if verdict else [],
        configuration=configuration(verdict) if verdict else "",
    )


def _release(release: StoredRelease) -> ReleaseDocument:
    labels = []
    if _has_table(release):
        labels = [
            ReleaseLabelDocument(
                name=label.name,
                examples=label.examples,
                mode=label.mode,
                threshold=label.threshold,
                precision=label.precision,
                low=label.low,
                missing=missing_in_words(label),
            )
            for label in verdict_of_manifest(release.manifest).labels
        ]
    return ReleaseDocument(
        id=release.id,
        created_at=release.created_at,
        state=release.state,
        n_issues=int(release.manifest.get("n_issues", 0)),
        labels=labels,
        gate=GateDocument.model_validate(release.gate) if release.gate else None,
    )


def _has_table(release: StoredRelease) -> bool:
    """Whether the manifest says what the release can do for each label."""
    rows = release.manifest.get("labels") or ()
    return all(isinstance(row, dict) for row in rows)


def _evaluation(work: UnitOfWork, repository: Repository) -> EvaluationDocument:
    run = work.evaluations.latest(repository.id, "evaluate")
    report: Mapping[str, Any] = (run.report if run else None) or {}
    curves: dict[str, list[CurvePointDocument]] = {}
    for row in report.get("summary", ()):
        if row["n_train"]:
            point = CurvePointDocument.model_validate(row)
            curves.setdefault(row["strategy"], []).append(point)
    return EvaluationDocument(
        repository=repository.full_name,
        at=run.finished_at if run else None,
        n_labelled=report.get("n_labelled"),
        n_test=report.get("n_test"),
        curves=[
            CurveDocument(strategy=strategy, points=sorted(points, key=lambda each: each.n_train))
            for strategy, points in curves.items()
        ],
    )
