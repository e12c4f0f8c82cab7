"""The demonstration from beginning to end: import, train, serve, file issues, show the labels."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bot.container import build
from bot.demo import stage
from bot.demo.service import free_port, running
from bot.errors import CommandRefused
from bot.learning.retraining import RetrainRequest, retrain
from bot.process.progress import ShownProgress
from bot.process.settings import load_settings
from bot.repositories.importing import import_rows
from bot.simulator.server import serving
from bot.simulator.webhooks import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.container import Container
    from bot.demo.material import Material
    from bot.demo.service import Service
    from bot.learning.gating import Retrained
    from bot.process.settings import Settings
    from bot.repositories.importing import Imported
    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState
    from store.records import PredictedLabel
    from tagger.domain.strategy import Progress

RUNTIME = "onnx"
"""Not the one that happens to be fastest here: the demonstration shows the same everywhere."""

PATIENCE = 300.0
"""Seconds that the service may take over all issues."""


@dataclass(frozen=True)
class LabelledIssue:
    """One issue after the service has dealt with it.

    :ivar on_github: labels that the simulator has on it now.
    :ivar suggested: labels that wait there for a person.
    :ivar right: what people had given it.
    """

    number: int
    title: str
    on_github: tuple[str, ...]
    suggested: tuple[str, ...]
    right: frozenset[str]
    predicted: tuple[PredictedLabel, ...] = field(repr=False)


@dataclass(frozen=True)
class Audience:
    """Who is told how it goes; each is called once, when that part is done."""

    imported: Callable[[Imported], None]
    trained: Callable[[Retrained], None]
    serving: Callable[[str, str], None]
    answered: Callable[[Sequence[int]], None]


def play(material: Material, folder: Path, audience: Audience) -> tuple[LabelledIssue, ...]:
    """Run the demonstration in a folder of its own.

    :returns: every issue that was filed, in their order.
    :raises CommandRefused: the service ended early or took too long.
    """
    settings = load_settings(
        runtime=RUNTIME,
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'issue-tagger.sqlite3'}",
        github_token=stage.TOKEN,
        github_app_id=None,
        github_private_key=None,
        github_private_key_file=None,
        webhook_secret=secrets.token_hex(16),
        host="127.0.0.1",
        port=free_port(),
    )
    container = build(settings)
    try:
        _learn(container, material, audience)
        return _serve(container, material, folder, audience)
    finally:
        container.close()


def _learn(container: Container, material: Material, audience: Audience) -> None:
    store, now = container.store, container.clock()
    store.migrate()
    audience.imported(
        import_rows(store, material.repository, material.known, material.labels, now=now)
    )
    with ShownProgress() as progress:
        # Tuning takes minutes without a GPU.
        workspace = container.workspace(progress, tuning=False)
        done = retrain(workspace, RetrainRequest(material.repository))
    audience.trained(done)


def _serve(
    container: Container,
    material: Material,
    folder: Path,
    audience: Audience,
) -> tuple[LabelledIssue, ...]:
    with container.store.read() as work:
        labels = work.labels.list(work.repositories.get(material.repository).id)
    state = stage.set_up(material.repository, labels)
    with serving(state) as github:
        settings = container.settings.model_copy(update={"github_api_url": github})
        with running(settings, folder / "service.log") as service:
            audience.serving(github, service.url)
            filed = [
                stage.file_anew(state, material.repository, issue) for issue in material.unseen
            ]
            audience.answered(asyncio.run(_send(state, filed, service, settings)))
            with ShownProgress() as progress:
                _wait(container, filed, service, progress)
            return _look(container, state, material)


async def _send(
    state: GitHubState, filed: Sequence[Delivery], service: Service, settings: Settings
) -> list[int]:
    """The status with which each webhook was answered."""
    async with httpx.AsyncClient(timeout=10) as http:
        secret = settings.webhook_secrets[0]
        sender = WebhookSender(state, http, f"{service.url}/webhook", secret)
        return [await sender.send(delivery) for delivery in filed]


def _wait(
    container: Container, filed: Sequence[Delivery], service: Service, progress: Progress
) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with container.store.read() as work:
            deliveries = [work.inbox.find(delivery.guid) for delivery in filed]
        done = sum(
            delivery is not None and delivery.finished_at is not None for delivery in deliveries
        )
        progress("tagging the issues filed", done, len(filed))
        if done == len(filed):
            return
        service.check_alive()
        if time.monotonic() > deadline:
            raise CommandRefused(
                f"{done} of {len(filed)} issues were tagged after {PATIENCE:.0f} s; "
                f"the end of the service's log:\n{service.last_lines()}"
            )
        time.sleep(0.2)


def _look(
    container: Container, state: GitHubState, material: Material
) -> tuple[LabelledIssue, ...]:
    """What is on the simulator now, and what was recorded about it."""
    shown = []
    with container.store.read() as work:
        repository_id = work.repositories.get(material.repository).id
        for issue in material.unseen:
            there = state.issue(material.repository, issue.number)
            prediction = work.predictions.latest(repository_id, issue.number)
            pending = [
                suggestion.label.name
                for suggestion in there.suggestions
                if suggestion.state == "pending"
            ]
            shown.append(
                LabelledIssue(
                    issue.number,
                    issue.title,
                    tuple(there.label_names),
                    tuple(pending),
                    material.right[issue.number],
                    prediction.labels if prediction else (),
                )
            )
    return tuple(shown)
