"""The job engine of PostgreSQL installations: procrastinate, in a schema of its own.

It hands out names and wakes workers; what a name stands for, and whether the work is done, only
our own tables know. So nothing in its schema is precious: it may be dropped at any time, and what
it loses is put in again by a sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from store.errors import StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from procrastinate import App
    from sqlalchemy import URL

log = logging.getLogger(__name__)

SCHEMA = "issue_tagger_jobs_v3"
"""Of procrastinate 3; another major version gets another schema, and the sweep fills it."""
_INSTALL_LOCK = 0x15_5E_7A_67
_TASK = "work"
_STALLED_AFTER = 30.0
"""Seconds without a heartbeat after which an engine's worker counts as dead."""


class JobEngine:
    """One process's part in the engine; opened within one event loop.

    :param url: of the installation's PostgreSQL database.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._handlers: dict[str, Callable[[str], Awaitable[None]]] = {}

    def install(self) -> None:
        """Make the engine's tables where there are none. Safe to call from many processes.

        :raises StoreUnreachable: no server answers.
        """
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_lock(:name)"), {"name": _INSTALL_LOCK})
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                schema_there = connection.execute(
                    text("SELECT to_regclass(:table)"), {"table": f"{SCHEMA}.procrastinate_jobs"}
                ).scalar_one()
                if schema_there is None:
                    self._apply_schema()
        except Exception as error:
            raise StoreUnreachable(f"the job engine cannot be set up: {error}") from error
        finally:
            engine.dispose()

    async def open(self) -> None:
        """Open connections; before everything below."""
        await self._app.open_async()

    async def close(self) -> None:
        """Close them."""
        await self._app.close_async()

    async def put(self, queue: str, names: Iterable[str], due_at: datetime | None = None) -> None:
        """Have each name handed to a worker of this queue, once as long as it waits there.

        :param due_at: not before this moment.
        :raises StoreUnreachable: the engine cannot be reached.
        """
        from procrastinate.exceptions import AlreadyEnqueued

        with _in_our_words():
            for name in names:
                waiting = self._app.configure_task(
                    _TASK, queue=queue, queueing_lock=f"{queue} {name}", schedule_at=due_at
                )
                with contextlib.suppress(AlreadyEnqueued):
                    await waiting.defer_async(queue=queue, name=name)

    async def waiting(self, queue: str) -> frozenset[str]:
        """Names that wait in a queue."""
        with _in_our_words():
            jobs = await self._app.job_manager.list_jobs_async(queue=queue, status="todo")
        return frozenset(str(job.task_kwargs["name"]) for job in jobs)

    async def bury_the_dead(self) -> None:
        """Drop what dead workers were handed; whether it was done, our own tables know."""
        from procrastinate.jobs import Status

        manager = self._app.job_manager
        with _in_our_words():
            stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER)
            for job in stalled:
                await manager.finish_job(job, Status.FAILED, delete_job=True)

    async def work(
        self, queues: Mapping[str, int], handler: Callable[[str, str], Awaitable[None]]
    ) -> None:
        """Take names out of queues until cancelled; then let the handlers that run end.

        :param queues: name → how many at once.
        :param handler: is given queue and name; a name that it gives up is not handed out again.
        :raises StoreUnreachable: the connection broke; call again.
        """
        for queue in queues:
            self._handlers[queue] = _bound(handler, queue)
        with _in_our_words():
            async with asyncio.TaskGroup() as group:
                for queue, at_once in queues.items():
                    group.create_task(
                        self._app.run_worker_async(
                            queues=[queue],
                            concurrency=at_once,
                            fetch_job_polling_interval=1.0,
                            delete_jobs="always",
                            install_signal_handlers=False,
                            update_heartbeat_interval=_STALLED_AFTER / 3,
                            stalled_worker_timeout=_STALLED_AFTER,
                        )
                    )

    @cached_property
    def _app(self) -> App:
        from procrastinate import App, PsycopgConnector

        for chatty in ("procrastinate", "psycopg.pool"):  # they repeat what we log ourselves
            logging.getLogger(chatty).setLevel(logging.ERROR)
        app = App(connector=PsycopgConnector(**self._connection(), min_size=1, max_size=4))

        @app.task(name=_TASK)
        async def work(queue: str, name: str) -> None:
            await self._handlers[queue](name)

        return app

    def _connection(self) -> dict[str, Any]:
        url = self._url.set(drivername="postgresql")
        options = f"-c search_path={SCHEMA}"
        return {
            "conninfo": url.render_as_string(hide_password=False),
            "kwargs": {"options": options, "connect_timeout": 10},
        }

    def _apply_schema(self) -> None:
        from procrastinate import App, SyncPsycopgConnector

        with App(connector=SyncPsycopgConnector(**self._connection(), min_size=1)).open() as app:
            app.schema_manager.apply_schema()


def _bound(
    handler: Callable[[str, str], Awaitable[None]], queue: str
) -> Callable[[str], Awaitable[None]]:
    async def handle(name: str) -> None:
        await handler(queue, name)

    return handle


@contextlib.contextmanager
def _in_our_words() -> Iterator[None]:
    import psycopg
    from procrastinate.exceptions import ConnectorException

    broken = (ConnectorException, psycopg.OperationalError, OSError)
    try:
        yield
    except broken as error:
        raise StoreUnreachable(f"the job engine lost its connection: {error}") from error
    except ExceptionGroup as group:
        exception_group, others = group.split(broken)
        if exception_group is None or others is not None:
            raise
        message = f"the job engine lost its connection: {exception_group.exceptions[0]}"
        raise StoreUnreachable(message) from group
