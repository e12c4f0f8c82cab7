"""What a step costs: seconds, and the most memory the process held meanwhile."""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLEAR_REFS, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_RESET_PEAK = "5"  # https://www.kernel.org/doc/html/latest/filesystems/proc.html


@dataclass
class Cost:
    """Filled in when the measured block ends.

    :ivar seconds: wall-clock time.
    :ivar peak_memory_mb: most resident memory of the whole process during the block, in 10^6
        bytes; where the kernel cannot reset its mark, the most since the process began.
    """

    seconds: float = 0.0
    peak_memory_mb: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block."""
    cost = Cost()
    _reset_peak()
    start = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - start
        cost.peak_memory_mb = _peak_memory_mb()


def _reset_peak() -> None:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:  # not Linux, or a kernel that does not allow it: see `Cost`
        return


def _peak_memory_mb() -> float:
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
