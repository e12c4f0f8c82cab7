"""One run of a task that is claimed: read from the database, and done in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import CommandRefused
from bot.jobs.task_kinds import KINDS, TaskRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.container import Container
    from bot.jobs.task_kinds import TaskKind
    from bot.receiving.handler_context import HandlerContext


async def run_task(
    container: Container,
    context: HandlerContext,
    key: str,
    kinds: Mapping[str, TaskKind] = KINDS,
) -> str:
    """Do what a task says, in this process; returns what came of it.

    :raises CommandRefused: the task cannot be done, and trying again would not help.
    """

    def read() -> tuple[str, TaskRun]:
        kind, _, number = key.partition(":")
        with context.store.read() as work:
            task = work.tasks.find(kind, int(number) if number else None)
            repositories = [
                repository
                for repository in work.repositories.all()
                if repository.id == int(number or -1)
            ]
        if task is None or (number and not repositories):
            raise CommandRefused(f"there is no task {key}, or its repository is gone")
        repository = repositories[0] if repositories else None
        return kind, TaskRun(container, context, repository, task.asked_by, task.detail)

    kind, task_run = await asyncio.to_thread(read)
    return await kinds[kind].run(task_run)
