"""The task `retrain`: asked for by a command in a comment, or by the installation's schedule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.jobs.kinds import Circumstances, Errand


async def run(errand: Errand) -> str:
    """Train, gate, promote.

    :raises LeaseHeld: somebody trains this repository already.
    """
    return await asyncio.to_thread(_train, errand)


def cron(given: Circumstances) -> str | None:
    """As the installation's setting says."""
    return given.settings.retrain_schedule


def _train(errand: Errand) -> str:
    from bot.use_cases.retraining import retrain

    installation = errand.installation
    done = retrain(
        installation.store,
        installation.resources(),
        installation.settings.releases_folder,
        errand.of_repository.full_name,
        now=installation.clock(),
        archive=installation.archive,
    )
    verdict = "serves" if done.promoted else "does not serve"
    return f"release {done.manifest.id} {verdict}: {done.gate.reason}"
