"""How many threads models compute with, where something else needs the processors too."""

from __future__ import annotations


def limit_threads(number: int) -> None:
    """Let torch, faiss and linear algebra of this process use at most `number` threads."""
    import faiss
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=number)
    torch.set_num_threads(number)
    faiss.omp_set_num_threads(number)
