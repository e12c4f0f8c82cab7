"""The model server under 1, 8 and 32 callers, with batches and without, beside one process alone.

    python docs/benchmarks/model_server.py --seconds 8 --callers 1,8,32

Texts are titles of the invented repository. "One call at a time" is a single caller of a server
that makes no batches; "in process" is the encoder in this process, asked a text at a time by as
many threads. Each figure is the median of three runs; servers take turns, so that all have the
same neighbours on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bot.demo.service import free_port
from bot.model_serving.remote_runner import ModelServerClient
from tagger.encoders.model_sources import DEFAULT_ENCODER, locate
from tagger.encoders.transformer import TransformerEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 3
SAMPLE = Path(__file__).parents[2] / "bot" / "sample" / "issues.jsonl"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--callers", default="1,8,32")
    parser.add_argument("--runtime", default="torch")
    wanted = parser.parse_args()
    callers = [int(number) for number in wanted.callers.split(",")]
    titles = [json.loads(line)["title"] for line in SAMPLE.read_text("utf-8").splitlines()]
    source = locate(DEFAULT_ENCODER)
    with tempfile.TemporaryDirectory() as folder:
        servers = {
            "batches of 32": ("--batch", "32"),
            "no batches": ("--batch", "1", "--milliseconds", "0"),
        }
        processes, encoders = [], {}
        try:
            for name, options in servers.items():
                url, process = _start(wanted.runtime, options, Path(folder))
                processes.append(process)
                opener = ModelServerClient(url).open
                encoders[name] = TransformerEncoder(
                    source, device="cpu", runtime=wanted.runtime, opener=opener
                )
            encoders["in process"] = TransformerEncoder(
                source, device="cpu", runtime=wanted.runtime
            )
            _print(encoders, titles, callers, wanted.seconds)
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _print(
    encoders: dict[str, TransformerEncoder], titles: list[str], callers: list[int], seconds: float
) -> None:
    print("| where | callers | texts a second | times one call at a time | median ms | p99 ms |")
    print("|---|---|---|---|---|---|")
    rates: dict[tuple[str, int], list[float]] = {}
    waits: dict[tuple[str, int], list[float]] = {}
    for _ in range(RUNS):
        for name, encoder in encoders.items():
            for number in callers:
                rate, times = _load(encoder.encode, titles, number, seconds)
                rates.setdefault((name, number), []).append(rate)
                waits.setdefault((name, number), []).extend(times)
    base = statistics.median(rates["no batches", callers[0]])
    for (name, number), measured in rates.items():
        rate, times = statistics.median(measured), sorted(waits[name, number])
        print(
            f"| {name} | {number} | {rate:.1f} | {rate / base:.2f} | "
            f"{statistics.median(times):.1f} | {times[int(0.99 * (len(times) - 1))]:.1f} |"
        )


def _load(
    encode: Callable[[list[str]], object], titles: list[str], n_callers: int, seconds: float
) -> tuple[float, list[float]]:
    """Texts a second of that many callers, each of which waits for its answer; ms of each text."""
    end = time.perf_counter() + seconds
    times: list[list[float]] = [[] for _ in range(n_callers)]

    def call(caller: int) -> None:
        for turn in range(1_000_000):
            began = time.perf_counter()
            if began > end:
                return
            encode([titles[(caller * 31 + turn) % len(titles)]])
            times[caller].append(1000 * (time.perf_counter() - began))

    encode([titles[0]])
    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(n_callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    flat = [each for of_caller in times for each in of_caller]
    return len(flat) / took, flat


def _start(
    runtime: str, options: tuple[str, ...], folder: Path
) -> tuple[str, subprocess.Popen[bytes]]:
    port = free_port()
    command = ["model-server", "--port", str(port), "--runtime", runtime, *options]
    environment = {**os.environ, "ISSUE_TAGGER_DATA_DIR": str(folder)}
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-m", "bot.cli", *command], env=environment, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    while True:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with status {process.returncode}")
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return url, process
        except httpx.TransportError:
            pass
        time.sleep(0.2)


if __name__ == "__main__":
    main()
