"""ONNX in 8 bits with scales of activations that were found beforehand, on a few texts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tagger.runtimes.devices import sums_overflow_in_8_bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Inputs = dict[str, NDArray[Any]]

TEXTS = (
    "The application crashes with a segmentation fault when I open a large file",
    "Feature request: add support for exporting the report as CSV and PDF",
    "How do I configure the proxy behind a firewall? The documentation does not say",
    "TypeError: cannot read property 'length' of undefined\n\n"
    "Steps to reproduce: start the server, log in, click on settings, then save twice.\n"
    "Expected: the settings are kept. Got: a blank page and this traceback in the console:\n"
    'File "main.py", line 42, in load\n    return self.cache[key]\nKeyError: 7',
    "Search has become slow since version 2.1, it takes more than a minute and 4 GB of memory",
    "Typo in the installation guide",
    "Translation into German is missing on the start page (Überschrift, Größe)",
    "Security: passwords are written to the log in plain text",
)
"""What activations are measured on: issues of the usual kinds, made up."""


def quantise_statically(source: Path, target: Path, inputs: Sequence[Inputs]) -> None:
    """Write the model at `source` with 8-bit weights and activations to `target`.

    Weights have 7 bits where 8 would overflow, see `sums_overflow_in_8_bits`.

    Against scales found for each call anew this saves their computing, and costs precision where a
    text is unlike those that were measured.

    Source: Tunstall, von Werra, Wolf, *Natural Language Processing with Transformers* (2022),
    chapter 8, "Making models faster with quantization"; ONNX Runtime, *Quantize ONNX models*.

    :param inputs: what the network is given to measure its activations on, by name.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # the tool logs advice for picture networks to the root
    try:
        quantize_static(
            source,
            target,
            _reader(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=sums_overflow_in_8_bits(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    finally:
        root.setLevel(level)


def _reader(inputs: Sequence[Inputs]) -> Any:
    """The inputs as ONNX Runtime's tool asks for them, one after the other."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc] # onnxruntime ships no types
        def __init__(self) -> None:
            self._inputs: Iterator[Inputs] = iter(inputs)

        def get_next(self) -> Inputs | None:
            return next(self._inputs, None)

    return Reader()
