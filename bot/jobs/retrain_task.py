"""The task `retrain`: asked for by a command in a comment, or by the installation's schedule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.configuration.effective import known_configuration
from bot.errors import CommandRefused
from store.records import OTHER_KINDS

if TYPE_CHECKING:
    from bot.jobs.task_kinds import ScheduleContext, TaskRun
    from bot.learning.gating import Retrained
    from store.records import TargetKind


async def run(task_run: TaskRun) -> str:
    """Train, gate, promote.

    :raises CommandRefused: no kind that the file names could be trained.
    :raises LeaseHeld: somebody trains this repository already.
    """
    return await asyncio.to_thread(_train, task_run)


def cron(schedule_context: ScheduleContext) -> str | None:
    """As the installation's setting says."""
    return schedule_context.settings.retrain_schedule


def _train(task_run: TaskRun) -> str:
    """Each kind by itself: what one of them lacks keeps none of the others from being trained."""
    rules = known_configuration(task_run.of_repository)
    others = [target for target in OTHER_KINDS if rules is not None and rules.covers(target)]
    said: list[str] = []
    refused: list[str] = []
    for target in ("issues", *others):
        kind = f"{target.replace('_', ' ')}: " if target != "issues" else ""
        try:
            said.append(kind + _trained(task_run, target))
        except CommandRefused as why:
            refused.append(f"{kind}{why}")
    if not said:
        raise CommandRefused("; ".join(refused))
    return "; ".join([*said, *refused])


def _trained(task_run: TaskRun, target: TargetKind) -> str:
    from bot.learning.retraining import RetrainRequest, retrain

    request = RetrainRequest(task_run.of_repository.full_name, target=target)
    return "; ".join(map(_outcome, retrain(task_run.container.workspace(), request).stages))


def _outcome(done: Retrained) -> str:
    verdict = "serves" if done.promoted else "does not serve"
    return f"release {done.manifest.id} {verdict}: {done.gate.reason}"
