"""Weights as whole numbers of eight bits: a fourth of their size, less where many are zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

LARGEST = 127

DENSE_FROM = 0.85
"""Share of weights that are not zero from which naming their places costs more than it saves."""


def pack(weights: Mapping[str, NDArray[np.float32]]) -> Arrays:
    """Quantise every matrix, row by row around zero; vectors stay, as float16.

    A row is divided by a 127th of its largest weight and rounded. Where enough of a matrix is
    zero, one bit a weight says which are not, and only those are kept.

    Source: Jacob et al. 2018, https://arxiv.org/abs/1712.05877, in its symmetric form.

    :returns: `NAME#raw`, or `NAME#scale` with `NAME#dense` or with `NAME#mask` and `NAME#rest`.
    """
    packed: Arrays = {}
    for name, weight in weights.items():
        if weight.ndim < 2:
            packed[f"{name}#raw"] = weight.astype(np.float16)
            continue
        rows = weight.reshape(len(weight), -1).astype(np.float32)
        scale = np.maximum(np.abs(rows).max(axis=1), 1e-12) / LARGEST
        whole = np.rint(rows / scale[:, None]).astype(np.int8)
        packed[f"{name}#scale"] = scale.astype(np.float32)
        nonzero = whole != 0
        if nonzero.mean() < DENSE_FROM:
            packed[f"{name}#mask"] = np.packbits(nonzero, axis=1)
            packed[f"{name}#rest"] = whole[nonzero]
            packed[f"{name}#shape"] = np.array(weight.shape, dtype=np.int64)
        else:
            packed[f"{name}#dense"] = whole.reshape(weight.shape)
    return packed


def unpack(packed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The weights that `pack` kept, rounded as it rounded them.

    :raises KeyError, ValueError: something is missing or does not fit together.
    """
    names = dict.fromkeys(key.rpartition("#")[0] for key in packed)
    return {name: _unpacked(name, packed) for name in names}


def _unpacked(name: str, packed: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    raw = packed.get(f"{name}#raw")
    if raw is not None:
        return raw.astype(np.float32)
    scale, dense = packed[f"{name}#scale"], packed.get(f"{name}#dense")
    if dense is None:
        shape = tuple(int(size) for size in packed[f"{name}#shape"])
        width = int(np.prod(shape[1:]))
        nonzero = np.unpackbits(packed[f"{name}#mask"], axis=1, count=width).astype(bool)
        dense = np.zeros((shape[0], width), dtype=np.int8)
        dense[nonzero] = packed[f"{name}#rest"]
        dense = dense.reshape(shape)
    spread = scale.reshape(-1, *[1] * (dense.ndim - 1))
    return np.asarray(dense.astype(np.float32) * spread, dtype=np.float32)
