"""Opening a network in a runtime."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch

from tagger.runtimes import ON_CPU_ONLY, RUNTIMES

if TYPE_CHECKING:
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Network, Runner

CONVERTED = "onnx"
"""Folder of converted networks within the cache."""


def open_runner(
    network: Network, runtime: Runtime, device: torch.device, cache: Path | None = None
) -> Runner:
    """The network, ready to compute.

    :param device: for `torch` and `torch-bf16`; all others compute on the processor.
    :param cache: keeps converted networks; None converts anew each time.
    :raises ModelRefused: it cannot be converted, or the copy computes something else.
    :raises ValueError: there is no such runtime.
    """
    from tagger.runtimes.torch_runner import TorchRunner

    if runtime not in RUNTIMES:
        raise ValueError(f"runtime is {runtime!r}, expected one of {', '.join(RUNTIMES)}")
    if runtime in ON_CPU_ONLY:
        device = torch.device("cpu")
    if runtime == "torch":
        return TorchRunner(network.build(torch.float32), device)
    if runtime == "torch-bf16":
        return TorchRunner(network.build(torch.bfloat16), device)
    if runtime == "torch-int8":
        from tagger.runtimes.torch_int8 import in_eight_bits

        module = network.build(torch.float32)
        module.body = in_eight_bits(module.get_submodule("body"))
        return TorchRunner(module, device)
    return _converted(network, runtime, cache)


def _converted(network: Network, runtime: Runtime, cache: Path | None) -> Runner:
    from tagger.runtimes.conversion import convert, converted
    from tagger.runtimes.onnx_runner import OnnxRunner

    if cache is not None:
        return OnnxRunner(converted(network, runtime, cache / CONVERTED))
    with TemporaryDirectory(prefix="issue-tagger-onnx-") as aside:
        return OnnxRunner(convert(network, runtime, Path(aside)))
