"""Devices: where models are computed, what is fast there, how much fits in a batch.

PyTorch is imported when it is asked: what runs on ONNX Runtime starts without it.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import DeviceMissing
from tagger.runtimes.threads import tell_torch

if TYPE_CHECKING:
    import torch

    from tagger.runtimes import Runtime

TOKENS_PER_BATCH = {"cpu": 4096, "cuda": 131_072}

EXACT_8_BITS = ("avx512_vnni", "avx_vnni", "amx_int8")
"""Instructions, by Linux's names and PyTorch's, that add products of 8-bit numbers in 32 bits."""

PROCESSOR = Path("/proc/cpuinfo")


def choose_device(name: str) -> torch.device:
    """The device by its setting: "auto" is CUDA where there is one.

    :raises DeviceMissing: CUDA was asked for and there is none.
    :raises ValueError: there is no such device.
    """
    import torch

    tell_torch()
    there = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if there else "cpu"
    if name not in TOKENS_PER_BATCH:
        raise ValueError(f"device is {name!r}, expected auto, cpu or cuda")
    if name == "cuda" and not there:
        raise DeviceMissing(
            "ISSUE_TAGGER_DEVICE is cuda, but this PyTorch finds no CUDA device here; set it to "
            "auto or cpu, or install a build of PyTorch with CUDA and the GPU's driver"
        )
    return torch.device(name)


def check_device(name: str) -> None:
    """Whether the device is there, where that is not certain.

    :raises DeviceMissing: CUDA was asked for and there is none.
    :raises ValueError: there is no such device.
    """
    if name not in {"auto", "cpu"}:
        choose_device(name)


def vector_instructions() -> str:
    """The widest vectors that PyTorch computes with on this processor, such as AVX2."""
    import torch

    return torch.backends.cpu.get_cpu_capability()


def sums_overflow_in_8_bits() -> bool:
    """Whether this processor adds products of 8-bit numbers in 16 bits, where two can overflow.

    So do x86 processors without VNNI; weights of 7 bits are then exact again. Source: ONNX Runtime,
    *Quantize ONNX models*, "When and why do I need to try U8U8?".
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    if PROCESSOR.is_file():  # Linux says so itself, and PyTorch need not be imported for it
        after = PROCESSOR.read_text("utf-8", "replace").partition("\nflags")[2]
        return set(after.partition("\n")[0].split()).isdisjoint(EXACT_8_BITS)
    import torch

    abilities = torch.cpu.get_capabilities()
    return not any(map(abilities.get, EXACT_8_BITS))


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether matrices multiply in bfloat16 natively: elsewhere it is emulated and slower."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))


def usual_runtime(device: str) -> Runtime:
    """What needs no measurement: PyTorch, in bfloat16 where the device multiplies in it.

    :param device: by its setting.
    """
    return "torch-bf16" if has_fast_bfloat16(choose_device(device)) else "torch"
