"""Timing: one thing at a time after a warm-up, then all together; the process's peak of memory."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one issue alone, after a warm-up."""

    median: float
    p95: float
    p99: float


def latency(ask: Callable[[Any], object], things: Sequence[Any]) -> Latency:
    """Ask about each thing once; the first few are asked before, and not counted then."""
    times = []
    for thing in [*things[:WARM_UP], *things]:
        start = time.perf_counter()
        ask(thing)
        times.append(1000 * (time.perf_counter() - start))
    counted = np.array(times[min(WARM_UP, len(things)) :])
    return Latency(
        *(round(float(percentile), 3) for percentile in np.percentile(counted, [50, 95, 99]))
    )


def throughput(ask: Callable[[Sequence[Any]], Any], things: Sequence[Any]) -> tuple[float, Any]:
    """Things a second when asked about together, and the answer."""
    start = time.perf_counter()
    answer = ask(things)
    return round(len(things) / max(time.perf_counter() - start, 1e-9), 2), answer


def peak_megabytes() -> float:
    """The most memory that this process has held.

    From /proc where there is one: `getrusage` counts what the parent held before this process
    became a program of its own.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        match = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if match:
            return round(int(match[1]) / 1024, 1)
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)
