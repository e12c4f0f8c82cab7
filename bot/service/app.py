"""The FastAPI application: its endpoints, and what starts and ends with it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI

from bot.api.api_context import ApiContext
from bot.api.refusals import ApiRefusal
from bot.api.routes import Api, answer_refusal
from bot.github.errors import GitHubError
from bot.jobs.worker_pool import WorkerThread
from bot.pages.site import Site
from bot.service.health import Health
from bot.service.intake import Intake
from bot.service.setup import Setup
from bot.service.webhook import Webhook
from bot.signin.authenticator import Authenticator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.container import Container
    from bot.jobs.delivery_queue import DeliveryLimits
    from bot.signin.one_time_link import OneTimeLink

log = logging.getLogger(__name__)

LOGIN_ASKED_AGAIN = 30.0
"""Seconds."""


def create_app(
    container: Container,
    *,
    worker: bool = True,
    pace: DeliveryLimits | None = None,
    link: OneTimeLink | None = None,
) -> FastAPI:
    """The service of one installation; threads and connections begin with its lifespan.

    :param worker: tag in this process; else `issue-tagger work` does it in others.
    :param link: opens the pages for who is on this machine, in place of GitHub's sign-in.
    """
    thread = WorkerThread(container, pace) if worker else None
    intake = Intake(container.store, lambda: container.own_login)
    webhook = Webhook(
        intake,
        lambda: container.settings.webhook_secrets,
        container.metrics,
        container.clock,
        thread.put if thread else _elsewhere,
    )
    setup = Setup(container, thread.reopen if thread else _nobody)
    health = Health(container.store, container.cache, container.metrics, container.clock, thread)
    api = ApiContext(container, Authenticator(container, link))
    app = FastAPI(
        title="issue-tagger",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _: _running(container, intake, thread, api),
    )
    app.include_router(webhook.router)
    app.include_router(health.router)
    app.include_router(setup.router)
    app.include_router(Api(api).router)
    app.include_router(Site(api).router)
    app.add_exception_handler(ApiRefusal, answer_refusal)
    app.state.setup = setup
    return app


@asynccontextmanager
async def _running(
    container: Container, intake: Intake, thread: WorkerThread | None, api: ApiContext
) -> AsyncIterator[None]:
    """Take in and work while the block lasts; then store what waits, and end or hand back."""
    await asyncio.to_thread(container.store.migrate)
    intake.start()
    if thread is not None:
        thread.start()
    asking = asyncio.create_task(learn_own_login(container))
    try:
        yield
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await api.authenticator.aclose()
        await asyncio.to_thread(intake.stop)
        if thread is not None:
            await asyncio.to_thread(thread.stop)


async def learn_own_login(container: Container) -> None:
    """Ask GitHub who we are, until it says so: our own acts are told from people's by it."""
    while container.own_login is None:
        access = container.access()
        if access is None:
            return
        try:
            container.own_login = await access.login()
        except GitHubError as error:
            log.warning("GitHub did not say who we are", extra={"reason": str(error)})
            await asyncio.sleep(LOGIN_ASKED_AGAIN)
        finally:
            await access.aclose()


def _nobody() -> None:
    """The worker runs elsewhere."""


def _elsewhere(_: str) -> None:
    """The worker runs elsewhere and looks by itself."""
