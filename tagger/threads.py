"""How many threads models compute with, where something else needs the processors too."""

from __future__ import annotations


def limit_threads(number: int) -> None:
    """Let torch and faiss of this process compute with at most `number` threads."""
    import faiss
    import torch

    torch.set_num_threads(number)
    faiss.omp_set_num_threads(number)
