"""How many threads models compute with, where something else needs the processors too."""

from __future__ import annotations

import sys

_limits: list[int] = []
"""What this process was limited to; the last counts."""


def limit_threads(number: int) -> None:
    """Let torch, faiss, ONNX Runtime and linear algebra of this process use at most `number`.

    PyTorch is told when it is first computed with: importing it here would cost a process that
    computes without it a second and a hundred megabytes.
    """
    import faiss
    from threadpoolctl import threadpool_limits

    _limits.append(number)
    threadpool_limits(limits=number)
    faiss.omp_set_num_threads(number)
    if "torch" in sys.modules:
        tell_torch()


def tell_torch() -> None:
    """Limit PyTorch, which was imported meanwhile, to what `limit_threads` said."""
    if _limits:
        import torch

        torch.set_num_threads(_limits[-1])


def threads() -> int:
    """As many as were allowed, or else as linear algebra takes."""
    if _limits:
        return _limits[-1]
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    from threadpoolctl import threadpool_info

    return max((int(pool["num_threads"]) for pool in threadpool_info()), default=1)
