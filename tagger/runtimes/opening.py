"""Opening a network in a runtime; PyTorch is imported only for what computes with it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tagger.runtimes import ON_CPU_ONLY, RUNTIMES
from tagger.runtimes.devices import check_device

if TYPE_CHECKING:
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import Network, Runner

CONVERTED = "onnx"
"""Folder of converted networks within the cache."""


def open_runner(
    network: Network, runtime: Runtime, device: str, cache: Path | None = None
) -> Runner:
    """The network, ready to compute.

    :param device: by its setting, for `torch` and `torch-bf16`; all others compute on the
        processor.
    :param cache: keeps converted networks; None converts anew each time.
    :raises ModelRefused: it cannot be converted, or the copy computes something else.
    :raises DeviceMissing: the device is not there.
    :raises ValueError: there is no such runtime.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime is {runtime!r}, expected one of {', '.join(RUNTIMES)}")
    if runtime in ON_CPU_ONLY:
        check_device(device)
        device = "cpu"
    if runtime.startswith("onnx"):
        return _converted(network, runtime, cache)
    return _in_torch(network, runtime, device)


def _in_torch(network: Network, runtime: Runtime, device: str) -> Runner:
    import torch

    from tagger.runtimes.devices import choose_device
    from tagger.runtimes.torch_runner import TorchRunner

    module = network.build(torch.bfloat16 if runtime == "torch-bf16" else torch.float32)
    if runtime == "torch-int8":
        from tagger.runtimes.torch_int8 import in_eight_bits

        module.body = in_eight_bits(module.get_submodule("body"))
    return TorchRunner(module, choose_device(device))


def _converted(network: Network, runtime: Runtime, cache: Path | None) -> Runner:
    from tagger.runtimes.converted_files import converted
    from tagger.runtimes.onnx_runner import OnnxRunner

    if cache is not None:
        return OnnxRunner(converted(network, runtime, cache / CONVERTED))
    from tagger.runtimes.conversion import convert

    with TemporaryDirectory(prefix="issue-tagger-onnx-") as aside:
        return OnnxRunner(convert(network, runtime, Path(aside)))
