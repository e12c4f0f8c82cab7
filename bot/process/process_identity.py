"""What a process calls itself when it holds a lease, and whether one of this machine has died."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import uuid
from pathlib import Path

_SHAPE = re.compile(r"process (?P<pid>\d+) on .+ \((?P<machine>[0-9a-f]{6})-[0-9a-f]{6}\)")


def holder_name() -> str:
    """A name for one hold of this process, no two ever the same."""
    return f"process {os.getpid()} on {socket.gethostname()} ({_machine()}-{uuid.uuid4().hex[:6]})"


def has_died(holder: str) -> bool:
    """Whether the holder was a process of this machine that is no more; False where unknown."""
    shape = _SHAPE.fullmatch(holder)
    if shape is None or shape["machine"] != _machine():
        return False
    pid = int(shape["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, under another user
        return False
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Ended, and only not yet asked about by its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:  # no such file on this system
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


def _machine() -> str:
    """Six hex digits that processes share exactly if they can see each other's numbers.

    The host's name alone would not do: containers may share it and count processes apart.
    """
    parts = [socket.gethostname()]
    for place in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(place.readlink()) if place.is_symlink() else place.read_text())
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:6]
