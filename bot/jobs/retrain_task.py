"""The task `retrain`: asked for by a command in a comment, or by the installation's schedule."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.configuration.effective import known_configuration
from store.records import OTHER_KINDS

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun
    from bot.learning.gating import Retrained


async def run(task_run: TaskRun) -> str:
    """Train, gate, promote.

    :raises LeaseHeld: somebody trains this repository already.
    """
    return await asyncio.to_thread(_train, task_run)


def cron(schedule_context: ScheduleContext) -> str | None:
    """As the installation's setting says."""
    return schedule_context.settings.retrain_schedule


def _train(task_run: TaskRun) -> str:
    from bot.learning.retraining import RetrainRequest, retrain

    repository = task_run.of_repository
    request = RetrainRequest(repository.full_name)
    stages = retrain(task_run.container.workspace(), request).stages
    outcome = "; ".join(_outcome(stage) for stage in stages)
    rules = known_configuration(repository)
    for target in OTHER_KINDS:
        if rules is None or not rules.covers(target):
            continue
        stages = retrain(task_run.container.workspace(), replace(request, target=target)).stages
        said = "; ".join(_outcome(stage) for stage in stages)
        outcome += f"; {target.replace('_', ' ')}: {said}"
    return outcome


def _outcome(done: Retrained) -> str:
    verdict = "serves" if done.promoted else "does not serve"
    return f"release {done.manifest.id} {verdict}: {done.gate.reason}"
