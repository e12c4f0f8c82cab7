"""Two job engines on PostgreSQL, killed: what is lost, what runs twice? (docs/decisions/0008)

    pip install pgqueuer==1.6.0
    python docs/benchmarks/engines.py pgqueuer --in-hand 8
    python docs/benchmarks/engines.py procrastinate --sweep

Makes the database `engine_trial` anew on the server of `--server`. `--jobs` that each write a row,
sleep 30 ms and mark it; three workers, `--kills` times one of them is killed, the first never comes
back.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WORKERS, PATIENCE = 3, 40.0
DATABASE = "engine_trial"
TABLE = "CREATE TABLE runs(key text, worker text, began timestamptz, ended timestamptz)"
END = "UPDATE runs SET ended = clock_timestamp() WHERE key = %s AND worker = %s AND ended IS NULL"
FINISHED = "SELECT count(DISTINCT key) FROM runs WHERE ended IS NOT NULL"
TWICE = (
    "SELECT count(*) FROM (SELECT key FROM runs WHERE ended IS NOT NULL "
    "GROUP BY key HAVING count(*) > 1) AS twice"
)


async def _job(url: str, name: str) -> Callable[[str], Awaitable[None]]:
    """What a job does, over a connection of its own."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)

    async def run(key: str) -> None:
        begin = "INSERT INTO runs VALUES (%s, %s, clock_timestamp(), NULL)"
        await connection.execute(begin, (key, name))
        await asyncio.sleep(0.03)
        await connection.execute(END, (key, name))

    return run


async def _pgqueuer(url: str, name: str | None, wanted: argparse.Namespace) -> None:
    from pgqueuer import PgQueuer, Queries
    from pgqueuer.adapters.drivers.psycopg import PsycopgDriver

    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    if name is None:
        queries = Queries.from_psycopg_connection(connection)
        await queries.install()
        for number in range(wanted.jobs):
            await queries.enqueue("job", str(number).encode())
        return
    run, engine = await _job(url, name), PgQueuer(PsycopgDriver(connection))

    @engine.entrypoint("job")  # type: ignore[untyped-decorator] # not installed here
    async def job(found: Any) -> None:
        await run(found.payload.decode())

    await engine.run(
        dequeue_timeout=timedelta(seconds=1),
        batch_size=(wanted.in_hand or 20) // 2,
        max_concurrent_tasks=wanted.in_hand,
        heartbeat_timeout=timedelta(seconds=2),
    )


async def _procrastinate(url: str, name: str | None, wanted: argparse.Namespace) -> None:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    run = await _job(url, name or "")

    @app.task(name="job")
    async def job(key: str) -> None:
        await run(key)

    async def sweep() -> None:
        while True:
            await asyncio.sleep(1)
            for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=2):
                await app.job_manager.retry_job(stalled)

    async with app.open_async():
        if name is None:
            await app.schema_manager.apply_schema_async()
            for number in range(wanted.jobs):
                await app.configure_task("job").defer_async(key=str(number))
            return
        sweeping = asyncio.create_task(sweep()) if wanted.sweep else None
        await app.run_worker_async(
            concurrency=8,
            fetch_job_polling_interval=1,
            update_heartbeat_interval=1,
            stalled_worker_timeout=2,
        )
        if sweeping:
            sweeping.cancel()


ENGINES = {"pgqueuer": _pgqueuer, "procrastinate": _procrastinate}


def main() -> None:
    """Run the trial that the command line describes, or be one of its workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("engine", choices=sorted(ENGINES))
    parser.add_argument("--server", default="host=127.0.0.1 user=postgres")
    parser.add_argument("--in-hand", type=int, default=None, help="PgQueuer: at most so many")
    parser.add_argument("--sweep", action="store_true", help="procrastinate: mind stalled jobs")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    url = f"{wanted.server} dbname={DATABASE}"
    if wanted.worker:
        asyncio.run(ENGINES[wanted.engine](url, wanted.worker, wanted))
        return
    with psycopg.connect(f"{wanted.server} dbname=postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {DATABASE}")
    with psycopg.connect(url, autocommit=True) as watching:
        watching.execute(TABLE)
        asyncio.run(ENGINES[wanted.engine](url, None, wanted))
        _trial(watching, wanted.jobs, wanted.kills)


def _trial(watching: psycopg.Connection, jobs: int, kills: int) -> None:
    chance, number, began = random.Random(1), WORKERS, time.monotonic()
    workers = {str(place): _start(str(place)) for place in range(WORKERS)}
    time.sleep(1.5)
    for kill in range(kills):
        time.sleep(chance.uniform(0.1, 0.4))
        dead = workers.pop(chance.choice(sorted(workers)))
        dead.kill()
        dead.wait()
        if kill:
            workers[str(number)] = _start(str(number))
            number += 1
    done = 0
    while done < jobs and time.monotonic() - began < PATIENCE:
        time.sleep(0.2)
        done = _count(watching, FINISHED)
    for worker in workers.values():
        worker.kill()
        worker.wait()
    print(f"{done} of {jobs} done after {time.monotonic() - began:.0f} s; ", end="")
    print(f"{_count(watching, TWICE)} ran twice to the end")


def _start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *sys.argv, "--worker", name])  # noqa: S603 - ourselves


def _count(watching: psycopg.Connection, query: str) -> int:
    row = watching.execute(query).fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
