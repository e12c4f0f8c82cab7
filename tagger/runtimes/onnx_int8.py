"""ONNX in 8 bits: products with constant weights, and the tables that tokens are looked up in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger.runtimes.devices import sums_overflow_in_8_bits

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MIN_ROWS = 512
"""A table shorter than this (token types) is left alone: nothing is saved."""


def quantise(source: Path, target: Path) -> None:
    """Write the model at `source` with 8-bit weights to `target`; 7-bit where 8 would overflow.

    Weights have a scale an output; activations one a call, found when they come. Tables have a
    scale a row: ONNX Runtime's own tool gives a whole table one scale, which cost .004 of cosine
    on all-MiniLM-L6-v2.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # the tool logs advice for picture networks to the root
    try:
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=sums_overflow_in_8_bits(),
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    finally:
        root.setLevel(level)
    model = onnx.load(str(target))
    _shorten_tables(model.graph)
    onnx.save(model, str(target))


def _shorten_tables(graph: Any) -> None:
    """Replace each lookup in a long table of numbers by one in 8 bits, times the row's scale."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {initializer.name: initializer for initializer in graph.initializer}
    nodes = []
    for node in graph.node:
        table = constants.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or table.dims[0] < MIN_ROWS:
            nodes.append(node)
            continue
        short, scale = _by_row(numpy_helper.to_array(table))
        name, indices, out = table.name, node.input[1], node.output[0]
        if f"{name}_8" not in constants:
            added = [
                numpy_helper.from_array(short, f"{name}_8"),
                numpy_helper.from_array(scale, f"{name}_scale"),
            ]
            graph.initializer.extend(added)
            constants |= {tensor_proto.name: tensor_proto for tensor_proto in added}
        nodes += [
            helper.make_node("Gather", [f"{name}_8", indices], [f"{out}_8"]),
            helper.make_node("Cast", [f"{out}_8"], [f"{out}_whole"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}_scale", indices], [f"{out}_scale"]),
            helper.make_node("Mul", [f"{out}_whole", f"{out}_scale"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in graph.node for name in node.input}
    remaining = [initializer for initializer in graph.initializer if initializer.name in used]
    del graph.initializer[:]
    graph.initializer.extend(remaining)


def _by_row(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers in [-127, 127] and the scale of each row. *Shape:* as the table, (n_rows, 1)"""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / 127
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)
