"""Freed memory goes back to the system: Python and glibc would keep it for later use."""

from __future__ import annotations

import ctypes
import gc
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def give_back() -> None:
    """Free what only circles hold, and hand back what is free. Takes a quarter of a second."""
    gc.collect()
    trim()


def trim() -> None:
    """Hand back what is free, at once where glibc allocates; elsewhere there is nothing to do."""
    malloc_trim = _malloc_trim()
    if malloc_trim is not None:
        malloc_trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """None without glibc. https://man7.org/linux/man-pages/man3/malloc_trim.3.html"""
    try:
        named_func_pointer = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS lack it, Windows lacks all of it
        return None
    named_func_pointer.argtypes, named_func_pointer.restype = [ctypes.c_size_t], ctypes.c_int
    return named_func_pointer
