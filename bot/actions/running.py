"""The Action's four commands: tag, retrain, report and backfill, each after a sync."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.actions import summary
from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.configuration.effective import refresh
from bot.conversations import report_issue
from bot.evaluating.reporting import report
from bot.jobs.delivery_queue import DeliveryQueue
from bot.learning.retraining import RetrainRequest, retrain
from bot.receiving.deliveries import keep, understand
from bot.repositories.syncing import sync

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.actions.job import Job
    from bot.container import Container
    from bot.receiving.handler_context import HandlerContext
    from store.records import StoredPrediction
    from tagger.domain.strategy import Progress

LOGIN = "github-actions[bot]"
"""Whom a job's own token belongs to; it may not ask GitHub."""

PREVIEWED = 50
"""Open issues that the first summary shows, the newest."""

MAX_DELAY = timedelta(days=1)
"""As much as `delay_seconds` may be: a job does not wait, its runner has taken long enough."""

NOTHING_TO_DO = "The event asks for nothing: pull requests and ignored issues are left alone."


async def tag(container: Container, job: Job, progress: Progress) -> Mapping[str, str]:
    """Do what the event asks for; where there is no release yet, one is trained first.

    :raises CommandRefused: there is no event, or this is no job of GitHub Actions.
    :raises GitHubError: GitHub refuses; the next run goes on.
    """
    event, payload = job.event()
    received = understand(job.guid, event, payload, container.clock() - MAX_DELAY)
    context = container.context()
    try:
        await _bring_in(container, context, job, progress)
        first = _train_if_first(container, job, progress)
        with container.store.begin() as work:
            keep(work, received, container.own_login)
        await DeliveryQueue(context).run_until_empty()
        number = received.delivery.issue_number
        prediction = _prediction(container, job.repository, number)
        if first:
            await _preview(context, job, progress)
    finally:
        await _close(context)
    if prediction is None:
        job.summarise(NOTHING_TO_DO)
        return {"labels": "[]", "suggested": "[]"}
    acted = any(label.action in {"set", "suggested"} for label in prediction.labels)
    wrote = acted or prediction.mode != "shadow"
    job.summarise(summary.of_issue(prediction.number, prediction.labels, wrote=wrote))
    return {
        "labels": _named(prediction, "apply"),
        "suggested": _named(prediction, "suggest"),
    }


async def train(
    container: Container, job: Job, progress: Progress, strategies: Sequence[str] | None = None
) -> Mapping[str, str]:
    """Bring in what is new, and train a release on it.

    :raises NothingToLearnFrom: the repository has no labels.
    """
    context = container.context()
    try:
        await _bring_in(container, context, job, progress)
    finally:
        await _close(context)
    request = RetrainRequest(job.repository, strategies=strategies)
    done = retrain(container.workspace(progress), request)
    job.summarise(summary.of_training(done))
    return {"release": done.manifest.id, "promoted": json.dumps(done.promoted)}


async def take_stock(
    container: Container, job: Job, progress: Progress, *, in_issue: bool
) -> Mapping[str, str]:
    """Report how labels do, in the summary and, where wanted, in one issue edited in place."""
    context = container.context()
    try:
        await _bring_in(container, context, job, progress)
        reported = report(container.store, context.cache, job.repository, now=container.clock())
        job.summarise(reported.text)
        if not in_issue or context.access is None:
            return {}
        client = await context.access.client(job.repository)
        with container.store.read() as work:
            repository = work.repositories.get(job.repository)
        return {"issue": str(await report_issue.show(context, client, repository, reported.text))}
    finally:
        await _close(context)


async def fill(
    container: Container, job: Job, progress: Progress, *, limit: int | None, apply: bool
) -> Mapping[str, str]:
    """Label open issues, or show which labels they would get."""
    context, wanted = container.context(), BackfillRequest(limit=limit)
    try:
        await _bring_in(container, context, job, progress)
        _train_if_first(container, job, progress)
        done = await backfill(context, job.repository, wanted, apply=apply, progress=progress)
    finally:
        await _close(context)
    job.summarise(summary.of_backfill(done))
    return {"run": "" if done.run_id is None else str(done.run_id)}


async def _bring_in(
    container: Container, context: HandlerContext, job: Job, progress: Progress
) -> None:
    """Issues, labels, what people did to them since the last run, and the file's rules."""
    access = context.access or container.github()
    store, now = container.store, container.clock()
    await sync(store, access, job.repository, now=now, progress=progress)
    with store.read() as work:
        repository = work.repositories.get(job.repository)
    # No webhook told of pushes meanwhile.
    await refresh(store, await access.client(job.repository), repository, now)


def _train_if_first(container: Container, job: Job, progress: Progress) -> bool:
    """Train by the members that tune nothing where no release serves yet."""
    with container.store.read() as work:
        if work.releases.active(work.repositories.get(job.repository).id) is not None:
            return False
    workspace = container.workspace(progress, tuning=False)
    done = retrain(workspace, RetrainRequest(job.repository))
    job.summarise(summary.of_training(done))
    return True


async def _preview(context: HandlerContext, job: Job, progress: Progress) -> None:
    wanted = BackfillRequest(limit=PREVIEWED)
    previewed = await backfill(context, job.repository, wanted, apply=False, progress=progress)
    job.summarise(summary.of_backfill(previewed))


def _prediction(
    container: Container, repository: str, number: int | None
) -> StoredPrediction | None:
    with container.store.read() as work:
        if number is None:
            return None
        return work.predictions.latest(work.repositories.get(repository).id, number)


def _named(prediction: StoredPrediction, decision: str) -> str:
    return json.dumps([label.name for label in prediction.labels if label.decision == decision])


async def _close(context: HandlerContext) -> None:
    if context.access is not None:
        await context.access.aclose()
