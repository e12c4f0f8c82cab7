"""A task in a process of its own, so that what computes for long never delays tagging.

The child runs `issue-tagger task KEY` at the lowest priority and says as JSON what came
of it. Its standard input is a pipe that nobody writes to: when the parent dies, however suddenly,
the pipe ends, and the child ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused
from bot.process.settings import environment_of
from store.errors import LeaseHeld
from store.records import Lease

if TYPE_CHECKING:
    from bot.container import Container
    from bot.process.settings import Settings

NICE = 10
PATIENCE = 5.0
"""Seconds for a child that was told to end; a training that is killed goes on from its
checkpoints."""


class SubprocessFailed(Exception):
    """The process of a task ended without saying what came of it, or said that it failed."""


async def run_in_subprocess(key: str, settings: Settings) -> str:
    """Run one claimed task to its end; cancelled, the child is ended too.

    :raises LeaseHeld: somebody trains the repository already.
    :raises CommandRefused: trying again would not help.
    :raises ChildFailed: any other failure.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "task", key),
        env=environment_of(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        output = await process.stdout.read()
        status = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    return _understood(output, status)


def report(container: Container, key: str) -> dict[str, Any]:
    """In the child: do the task, and say what came of it."""
    from bot.jobs.task_run import run_task

    os.nice(NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    async def run() -> str:
        context = container.context()
        try:
            return await run_task(container, context, key)
        finally:
            if context.access is not None:
                await context.access.aclose()

    try:
        return {"outcome": asyncio.run(run())}
    except CommandRefused as error:
        return {"refused": str(error)}
    except LeaseHeld as error:
        held = error.lease
        times = {"since": held.since.isoformat(), "until": held.until.isoformat()}
        return {"held": {"name": held.name, "holder": held.holder, **times}}


def _understood(output: bytes, status: int) -> str:
    try:
        answer = json.loads(output)
    except ValueError:
        raise SubprocessFailed(
            f"the process ended with status {status}; its log says why"
        ) from None
    if "refused" in answer:
        raise CommandRefused(answer["refused"])
    if held := answer.get("held"):
        since, until = (datetime.fromisoformat(held[name]) for name in ("since", "until"))
        raise LeaseHeld(Lease(held["name"], held["holder"], since, until))
    return str(answer["outcome"])


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
