"""Weights in eight bits: near what they were, small, and the same for ever after."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from tagger.distillation.int8_weights import pack, unpack

MATRICES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=3, max_side=9),
    elements=some.floats(-1e3, 1e3, width=32),
)


@given(matrix=MATRICES)
def test_no_weight_moves_by_more_than_half_a_step(matrix: np.ndarray) -> None:
    back = unpack(pack({"layer.weight": matrix}))["layer.weight"]
    rows = np.abs(matrix.reshape(len(matrix), -1)).max(axis=1)
    allowed = (rows / 127 / 2 * 1.001 + 1e-6).reshape(-1, *[1] * (matrix.ndim - 1))
    assert back.shape == matrix.shape
    assert (np.abs(back - matrix) <= allowed).all()


@given(matrix=MATRICES)
def test_what_was_rounded_once_is_not_moved_again(matrix: np.ndarray) -> None:
    once = unpack(pack({"w": matrix}))["w"]
    again = unpack(pack({"w": once}))["w"]
    assert np.allclose(once, again, rtol=1e-5, atol=1e-30)


def test_dense_takes_a_fourth_and_sparse_less() -> None:
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(256, 256)).astype(np.float32)
    sparse = np.where(rng.random(dense.shape) < 0.75, 0, dense).astype(np.float32)

    def size(matrix: np.ndarray) -> int:
        return sum(array.nbytes for array in pack({"w": matrix}).values())

    assert size(dense) < 0.26 * dense.nbytes
    assert size(sparse) < 0.11 * dense.nbytes
    assert ((unpack(pack({"w": sparse}))["w"] == 0) >= (sparse == 0)).all()


def test_vectors_stay_in_half_precision() -> None:
    bias = np.array([0.1, -2.0, 3.5], dtype=np.float32)
    assert np.array_equal(
        unpack(pack({"bias": bias}))["bias"], bias.astype(np.float16).astype(np.float32)
    )
